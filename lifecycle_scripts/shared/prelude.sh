# shellcheck shell=bash
# Stands before every script: who works here and where, what is known of the app, and a place for what takes long.

LIFECYCLE_ROOT=${LIFECYCLE_ROOT:-} # the folder that a test takes for /
if [[ -d $LIFECYCLE_ROOT/home/ec2-user ]]; then
  # A notebook instance. Scripts run as root; of all files only those below SageMaker/ outlive a stop.
  LIFECYCLE_KIND=notebook
  LIFECYCLE_USER=ec2-user
  LIFECYCLE_WORK=$LIFECYCLE_ROOT/home/ec2-user/SageMaker
else
  # An app of Studio. Scripts run as its user; the home folder is the space's volume.
  LIFECYCLE_KIND=studio
  LIFECYCLE_USER=sagemaker-user
  LIFECYCLE_WORK=$LIFECYCLE_ROOT/home/sagemaker-user
fi
LIFECYCLE_HOME=$LIFECYCLE_ROOT/home/$LIFECYCLE_USER
LIFECYCLE_LOGS=$LIFECYCLE_WORK/.atelier

# Run a program as the person who works here, so that the person owns what it makes.
as_user() {
  local by=(env)
  if [[ $(id -u) == 0 ]]; then by=(runuser -u "$LIFECYCLE_USER" -- env); fi
  "${by[@]}" HOME="$LIFECYCLE_HOME" "$@"
}

# Run what may take longer than the 4 minutes that scripts have; `<name>.log` says how it goes.
in_background() {
  local log=$LIFECYCLE_LOGS/$1.log
  shift
  as_user touch "$log"
  # As nohup does, which cannot run a function.
  (
    trap '' HUP
    "$@"
  ) >>"$log" 2>&1 </dev/null &
}

# What SageMaker says of the app or notebook instance: DomainId, SpaceName, ResourceName ...
metadata() {
  local file=$LIFECYCLE_ROOT/opt/ml/metadata/resource-metadata.json
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get(sys.argv[2], ""))' "$file" "$1"
}

only_in_notebooks() {
  if [[ $LIFECYCLE_KIND != notebook ]]; then
    echo "is for notebook instances only" >&2
    exit 1
  fi
}

# Wait for the script that was just begun. A failure is told and the app starts nevertheless: nobody is locked out
# because a package is gone. (`( ... ) || ...` would be shorter, but switches `set -e` off within the parentheses.)
#
# So is a script that has not ended when the time is over. SageMaker gives all of them together 5 minutes and then lets
# the start fail. They get 4 of these; later ones 5 seconds each, enough for what shipped ones do in the foreground.
finish() {
  local script=$! end=$((SECONDS < 235 ? 240 : SECONDS + 5))
  while kill -0 "$script" 2>/dev/null && ((SECONDS < end)); do sleep 0.1; done
  if kill -0 "$script" 2>/dev/null; then
    echo "lifecycle script $1 is ended: the 4 minutes of all scripts are over; put what takes long in_background" >&2
    {
      # To all that it runs, except for what is in the background, which ignores it.
      kill -HUP -- "-$script" || true
      sleep 0.1
      kill -KILL "$script" || true
    } 2>/dev/null
  fi
  wait "$script" 2>/dev/null || echo "lifecycle script $1 failed with status $?; the start goes on without it" >&2
}

as_user mkdir -p "$LIFECYCLE_LOGS"
set -m # each script in a process group of its own, that can be ended as a whole
