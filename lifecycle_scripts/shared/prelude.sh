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

# Run what may take longer than the 5 minutes that SageMaker waits; `<name>.log` says how it goes.
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
finish() {
  wait "$!" || echo "lifecycle script $1 failed with status $?; the start goes on without it" >&2
}

as_user mkdir -p "$LIFECYCLE_LOGS"
