# shellcheck shell=bash
# Copies the team's folder of the data bucket to team/, anew at every start.
#
# A copy and no mount: Studio's apps have neither root nor FUSE. What is written here stays here; what has gone from
# the bucket stays as well, since a person may have made it.

target=$LIFECYCLE_WORK/team
as_user mkdir -p "$target"
in_background mount_team_prefix as_user timeout 3600 aws s3 sync --only-show-errors "$ATELIER_TEAM_PREFIX" "$target"
