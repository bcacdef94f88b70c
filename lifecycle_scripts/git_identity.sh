# shellcheck shell=bash
# Makes the person who works here the author of commits, by the name and address in the team's file.

# Whose place this is: nobody's in a shared space, where each commit has an author of its own.
person() {
  local space sharing owner
  if [[ -n ${ATELIER_OWNER:-} ]]; then
    echo "$ATELIER_OWNER"
    return
  fi
  space=$(metadata SpaceName)
  if [[ -z $space ]]; then
    metadata UserProfileName
    return
  fi
  read -r sharing owner < <(
    aws sagemaker describe-space --domain-id "$(metadata DomainId)" --space-name "$space" --output text \
      --query '[SpaceSharingSettings.SharingType, OwnershipSettings.OwnerUserProfileName]'
  )
  if [[ $sharing == Private ]]; then echo "$owner"; fi
}

me=$(person)
while IFS='|' read -r user email name; do
  if [[ -n $me && $user == "$me" ]]; then
    if [[ -n $name ]]; then as_user git config --global user.name "$name"; fi
    if [[ -n $email ]]; then as_user git config --global user.email "$email"; fi
  fi
done <<<"$ATELIER_IDENTITIES"
