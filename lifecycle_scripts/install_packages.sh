# shellcheck shell=bash
# Installs the team's Python packages; .atelier/install_packages.log says how it went.

requirements=$LIFECYCLE_LOGS/packages.txt
printf '%s\n' "$ATELIER_PACKAGES" | as_user tee "$requirements" >/dev/null

pip=pip
# The environment that the notebook's Python kernel runs in.
of_kernel=$LIFECYCLE_HOME/anaconda3/envs/python3/bin/pip
if [[ -x $of_kernel ]]; then pip=$of_kernel; fi

in_background install_packages \
  as_user timeout 1800 "$pip" install --disable-pip-version-check --no-input --requirement "$requirements"
