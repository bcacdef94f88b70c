# shellcheck shell=bash
# Clones the team's Git repositories beside each other; one that is there already is left as it is.

clone() {
  local url=$1 target
  target=$LIFECYCLE_WORK/$(basename "${url%/}" .git)
  if [[ -e $target ]]; then
    echo "$target is there already"
    return
  fi
  # Beside its place until it is whole: what was cut off half-way is begun anew at the next start.
  rm -rf "$target.partial"
  as_user env GIT_TERMINAL_PROMPT=0 timeout 1800 git clone --quiet "$url" "$target.partial" &&
    as_user mv "$target.partial" "$target"
}

clone_all() {
  local url failed=0
  while read -r url; do
    clone "$url" || {
      echo "$url could not be cloned"
      failed=1
    }
  done <<<"$ATELIER_REPOSITORIES"
  return "$failed"
}

in_background clone_repositories clone_all
