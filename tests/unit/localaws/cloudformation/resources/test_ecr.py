import json

import pytest
from botocore.exceptions import ClientError

REPOSITORY = "AWS::ECR::Repository"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": "ecr:*"}],
}
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 3},
            "action": {"type": "expire"},
        }
    ]
}


def described(name):
    """A look at one field of a repository."""

    def look(client, repository):
        (found,) = client("ecr").describe_repositories(repositoryNames=[repository])["repositories"]
        return found.get(name, "none")

    return look


def text(operation, field, missing):
    """A look at a JSON text of a repository."""

    def look(client, repository):
        ecr = client("ecr")
        ecr.describe_repositories(repositoryNames=[repository])
        try:
            return json.loads(getattr(ecr, operation)(repositoryName=repository)[field])
        except ClientError as error:
            if error.response["Error"]["Code"] == missing:
                return "none"
            raise

    return look


def tags(client, repository):
    """A repository's tags as a mapping."""
    arn = described("repositoryArn")(client, repository)
    return {tag["Key"]: tag["Value"] for tag in client("ecr").list_tags_for_resource(resourceArn=arn)["tags"]}


@pytest.mark.parametrize(
    ("look", "props", "seen", "default"),
    [
        (described("imageTagMutability"), {"ImageTagMutability": "IMMUTABLE"}, "IMMUTABLE", "MUTABLE"),
        (
            described("imageTagMutabilityExclusionFilters"),
            {
                "ImageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
                "ImageTagMutabilityExclusionFilters": [
                    {
                        "ImageTagMutabilityExclusionFilterType": "WILDCARD",
                        "ImageTagMutabilityExclusionFilterValue": "latest",
                    }
                ],
            },
            [{"filterType": "WILDCARD", "filter": "latest"}],
            "none",
        ),
        (
            described("imageScanningConfiguration"),
            {"ImageScanningConfiguration": {"ScanOnPush": "true"}},
            {"scanOnPush": True},
            {"scanOnPush": False},
        ),
        (
            text("get_lifecycle_policy", "lifecyclePolicyText", "LifecyclePolicyNotFoundException"),
            {"LifecyclePolicy": {"LifecyclePolicyText": json.dumps(LIFECYCLE)}},
            LIFECYCLE,
            "none",
        ),
        (
            text("get_repository_policy", "policyText", "RepositoryPolicyNotFoundException"),
            {"RepositoryPolicyText": POLICY},
            POLICY,
            "none",
        ),
        (tags, {"Tags": [{"Key": "a", "Value": "b"}]}, {"team": "vision", "a": "b"}, {"team": "vision"}),
    ],
)
def test_each_property_of_a_repository_is_set_changed_and_taken_back(live, look, props, seen, default):
    """What a template says of a repository is what ECR answers, and its absence restores the default."""
    live(REPOSITORY, look, [(props, seen), ({}, default)])


def test_a_repository_answers_its_arn_and_uri(types, context):
    """GetAtt gives what a Docker client and a policy need."""
    created = types[REPOSITORY].create(context, {"EncryptionConfiguration": {"EncryptionType": "KMS"}})
    name = created.physical_id
    assert name == name.lower()
    assert created.attributes == {
        "Arn": f"arn:aws:ecr:eu-west-1:111122223333:repository/{name}",
        "RepositoryUri": f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/{name}",
    }
    assert described("encryptionConfiguration")(context.client, name)["encryptionType"] == "KMS"


def test_a_repository_with_images_goes_only_when_that_is_allowed(types, context):
    """RepositoryNotEmptyException without EmptyOnDelete."""
    repository, ecr = types[REPOSITORY], context.client("ecr")
    name = repository.create(context, {}).physical_id
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "layers": [],
    }
    ecr.put_image(repositoryName=name, imageManifest=json.dumps(manifest), imageTag="1")
    with pytest.raises(ClientError, match="RepositoryNotEmptyException"):
        repository.delete(context, name, {})
    repository.delete(context, name, {"EmptyOnDelete": "true"})


def test_a_name_that_is_taken_is_refused(types, make_context):
    """By ECR itself."""
    name = {"RepositoryName": types[REPOSITORY].create(make_context(), {}).physical_id}
    with pytest.raises(ClientError, match="already exists"):
        types[REPOSITORY].create(make_context(), name)
