# shellcheck shell=bash
# Moves Docker's data to the big volume of a notebook instance.
#
# At every start: the system's disk, with Docker's settings on it, is new each time. The data itself stays.

only_in_notebooks
data=$LIFECYCLE_WORK/.docker
settings=$LIFECYCLE_ROOT/etc/docker/daemon.json
mkdir -p "$data" "$(dirname "$settings")"

# Other settings stay, such as the runtime for GPUs. Prints whether anything changed.
changed=$(
  python3 - "$settings" "$data" <<'PYTHON'
import json, pathlib, sys

file, data = pathlib.Path(sys.argv[1]), sys.argv[2]
settings = json.loads(file.read_text()) if file.exists() else {}
if settings.get("data-root") != data:
    file.write_text(json.dumps(settings | {"data-root": data}, indent=2) + "\n")
    print("changed")
PYTHON
)
if [[ -n $changed ]]; then
  # The socket too: it would start Docker again with the first program that asks for it.
  systemctl stop docker.socket docker.service
  systemctl start docker.socket docker.service
fi
