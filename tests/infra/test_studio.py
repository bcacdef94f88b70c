"""Studio: the domain, the people, the spaces, and what they are allowed."""

from __future__ import annotations

import base64
import json
from fnmatch import fnmatchcase

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from atelier.spec import load_team
from atelier.spec.lifecycle import CONTENT_LIMIT, render
from atelier.spec.studio import Idle, Storage, Studio, StudioLifecycle, StudioUser
from stacks.app import PROJECT, new_app
from stacks.build import build
from stacks.constructs.lifecycle_config import settings
from stacks.constructs.studio_roles import only_sizes
from stacks.constructs.studio_settings import APPS, Offer, all_apps, portal, user_settings

STAGE = "research-dev"


@pytest.fixture(scope="module")
def spec():
    """The shipped team with everything switched on, as its templates are made from it."""
    return load_team(PROJECT / "teams/research.yaml").environments["dev"]


@pytest.fixture(scope="module")
def domain(assembly):
    """The domain's properties."""
    [domain] = assembly.resources("AWS::SageMaker::Domain", stage=STAGE)
    return domain.properties


def of_type(assembly, kind, name):
    """Resources of SageMaker by their names."""
    found = assembly.resources(f"AWS::SageMaker::{kind}", stage=STAGE)
    return {one.properties[name]: one.properties for one in found}


def role_of(resource):
    """The logical ID of the role in a profile."""
    return resource["UserSettings"]["ExecutionRole"]["Fn::GetAtt"][0]


def test_only_environments_with_studio_have_a_domain(assembly):
    """The team file's override took it from production; the other teams declare none."""
    assert {one.stack for one in assembly.resources("AWS::SageMaker::Domain")} == {f"{STAGE}-studio"}


def test_the_domain_is_private_and_encrypted(domain):
    """In the environment's network alone, its files under the environment's key."""
    assert domain["AppNetworkAccessType"] == "VpcOnly"
    assert len(domain["SubnetIds"]) >= 2
    assert "Key" in json.dumps(domain["KmsKeyId"])
    assert domain["DefaultUserSettings"]["SecurityGroups"]


def test_calls_and_costs_carry_a_person_and_a_team(domain):
    """CloudTrail names the user of a shared role; what is made in Studio takes over the tags."""
    assert domain["DomainSettings"]["ExecutionRoleIdentityConfig"] == "USER_PROFILE_NAME"
    assert domain["TagPropagation"] == "ENABLED"


def test_apps_are_limited_and_stop_when_idle(domain):
    """The first size is the default, volumes and idle times have bounds.

    For both apps in people's own spaces, and for JupyterLab in shared ones: SageMaker has no such settings
    for Code Editor there, of which the team file's reader warns.
    """
    own, shared = domain["DefaultUserSettings"], domain["DefaultSpaceSettings"]
    assert {"JupyterLabAppSettings", "CodeEditorAppSettings"} <= set(own)
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", "AWS::SageMaker::Domain").schema
    assert "CodeEditorAppSettings" not in schema["definitions"]["DefaultSpaceSettings"]["properties"]
    for settings_ in (own, shared):
        volume = settings_["SpaceStorageSettings"]["DefaultEbsStorageSettings"]
        assert volume == {"DefaultEbsVolumeSizeInGb": 20, "MaximumEbsVolumeSizeInGb": 100}
        apps = [value for key, value in settings_.items() if key.endswith("AppSettings")]
        assert apps
        for app in apps:
            assert app["DefaultResourceSpec"]["InstanceType"] == "ml.t3.medium"
            assert app["AppLifecycleManagement"]["IdleSettings"] == {
                "LifecycleManagement": "ENABLED",
                "IdleTimeoutInMinutes": 60,
                "MinIdleTimeoutInMinutes": 60,
                "MaxIdleTimeoutInMinutes": 240,
            }


def test_what_is_switched_off_is_hidden(domain):
    """Tools that the file names, project templates, Studio Classic, and sizes that nobody may use."""
    shown = domain["DefaultUserSettings"]["StudioWebPortalSettings"]
    assert shown["HiddenMlTools"] == ["AutoMl", "DataWrangler", "Projects"]
    assert "JupyterServer" in shown["HiddenAppTypes"]
    assert "ml.p4d.24xlarge" in shown["HiddenInstanceTypes"]
    assert not {"ml.t3.medium", "ml.g4dn.xlarge"} & set(shown["HiddenInstanceTypes"])


def test_notebooks_are_shared_through_the_teams_bucket(domain):
    """Encrypted, below a prefix of the artifacts bucket, where everybody may write."""
    sharing = domain["DefaultUserSettings"]["SharingSettings"]
    assert sharing["NotebookOutputOption"] == "Allowed"
    assert sharing["S3OutputPath"] == f"s3://{STAGE}-artifacts-111122223333-eu-west-1/studio/sharing"
    assert "S3KmsKeyId" in sharing


def test_docker_pulls_from_the_teams_own_accounts_alone(domain):
    """In a domain off the internet, the accounts must be named."""
    docker = domain["DomainSettings"]["DockerSettings"]
    assert docker == {
        "EnableDockerAccess": "ENABLED",
        "VpcOnlyTrustedAccounts": ["111122223333", "444455556666"],
    }


def test_repositories_and_images_are_offered(assembly, domain):
    """Jupyter proposes the repositories; the image is the team's own, of the tag that the file names."""
    jupyter = domain["DefaultUserSettings"]["JupyterLabAppSettings"]
    assert [one["RepositoryUrl"] for one in jupyter["CodeRepositories"]] == [
        "https://github.com/aws/amazon-sagemaker-examples.git"
    ]
    [image] = jupyter["CustomImages"]
    assert image["ImageName"] == f"{STAGE}-workbench"
    assert "ImageVersionNumber" not in image
    [version] = assembly.resources("AWS::SageMaker::ImageVersion", stage=STAGE)
    assert f"/{STAGE}/workbench:1.0.0" in json.dumps(version.properties["BaseImage"])
    assert "CustomImages" not in domain["DefaultUserSettings"]["CodeEditorAppSettings"]


def test_lifecycle_configurations_are_named_after_their_content(assembly, domain, spec):
    """An edit is another name, so another configuration, at which the domain and its spaces then point."""
    configs = {
        one.properties["StudioLifecycleConfigAppType"]: one
        for one in assembly.resources("AWS::SageMaker::StudioLifecycleConfig", stage=STAGE)
    }
    assert set(configs) == {"JupyterLab", "CodeEditor"}
    for app, config in configs.items():
        name = config.properties["StudioLifecycleConfigName"]
        assert fnmatchcase(name, f"{STAGE}-*-????????")
        content = config.properties["StudioLifecycleConfigContent"]
        assert len(content) <= CONTENT_LIMIT
        scripts = (
            spec.studio.lifecycle.jupyterlab if app == "JupyterLab" else spec.studio.lifecycle.code_editor
        )
        assert base64.b64decode(content).decode() == render(scripts, settings(spec))
        arn = {"Fn::GetAtt": [config.logical_id, "StudioLifecycleConfigArn"]}
        settings_ = domain["DefaultUserSettings"][f"{app}AppSettings"]
        assert settings_["DefaultResourceSpec"]["LifecycleConfigArn"] == arn
        assert settings_["LifecycleConfigArns"] == [arn]


def test_every_user_has_a_profile_with_a_role_of_their_own(assembly, domain):
    """`roles: user`: nobody works with another's role, nor with that of the domain."""
    profiles = of_type(assembly, "UserProfile", "UserProfileName")
    roles = {name: role_of(profile) for name, profile in profiles.items()}
    assert set(roles) == {"ada", "grace", "alan"}
    everybody = domain["DefaultUserSettings"]["ExecutionRole"]["Fn::GetAtt"][0]
    assert len({everybody, *roles.values()}) == 4


def test_a_user_with_limits_of_their_own_has_whole_blocks(assembly):
    """SageMaker takes a block from the user or from the domain, and mixes none."""
    profiles = of_type(assembly, "UserProfile", "UserProfileName")
    assert set(profiles["ada"]["UserSettings"]) == {"ExecutionRole"}
    grace = profiles["grace"]["UserSettings"]
    assert grace["SpaceStorageSettings"]["DefaultEbsStorageSettings"]["MaximumEbsVolumeSizeInGb"] == 500
    jupyter = grace["JupyterLabAppSettings"]
    assert jupyter["AppLifecycleManagement"]["IdleSettings"]["MaxIdleTimeoutInMinutes"] == 480
    assert {"LifecycleConfigArns", "CodeRepositories", "CustomImages"} <= set(jupyter)
    assert "ml.t3.large" in profiles["alan"]["UserSettings"]["StudioWebPortalSettings"]["HiddenInstanceTypes"]


def test_spaces_belong_to_their_owners(assembly):
    """Private and shared ones, with the app and size that the file gives or its owner's; volumes as given."""
    spaces = of_type(assembly, "Space", "SpaceName")
    lab, room = spaces["grace-lab"], spaces["team-room"]
    assert lab["OwnershipSettings"] == {"OwnerUserProfileName": "grace"}
    assert lab["SpaceSharingSettings"] == {"SharingType": "Private"}
    assert (
        lab["SpaceSettings"]["JupyterLabAppSettings"]["DefaultResourceSpec"]["InstanceType"] == "ml.m5.large"
    )
    assert lab["SpaceSettings"]["SpaceStorageSettings"]["EbsStorageSettings"] == {"EbsVolumeSizeInGb": 50}
    assert room["SpaceSharingSettings"] == {"SharingType": "Shared"}
    assert room["SpaceSettings"]["AppType"] == "CodeEditor"
    assert "SpaceStorageSettings" not in room["SpaceSettings"]


def attached(assembly, role):
    """The statements of the managed policies that a role of the studio stack has."""
    stack = f"{STAGE}-studio"
    return [
        statement
        for policy in assembly.resources("AWS::IAM::ManagedPolicy", stage=STAGE)
        if policy.stack == stack and {"Ref": role} in policy.properties.get("Roles", [])
        for statement in policy.properties["PolicyDocument"]["Statement"]
    ]


@pytest.mark.parametrize(
    ("user", "may", "may_not"),
    [
        ("grace", "sagemaker:CreateTrainingJob", "sagemaker:UpdateModelPackage"),
        ("alan", "sagemaker:UpdateModelPackage", "sagemaker:CreateTrainingJob"),
        ("ada", "sagemaker:UpdateDomain", "sagemaker:CreateEndpoint"),
    ],
)
def test_people_may_do_in_studio_what_their_persona_may(assembly, user, may, may_not):
    """Nobody creates endpoints: models are deployed by approval."""
    role = role_of(of_type(assembly, "UserProfile", "UserProfileName")[user])
    allowed = {
        action
        for statement in attached(assembly, role)
        if statement["Effect"] == "Allow"
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert may in allowed
    assert may_not not in allowed
    assert "sagemaker:CreateEndpoint" not in allowed


def test_people_work_in_their_own_domain_and_spaces_alone(assembly, domain):
    """Apps and spaces are named with the domain's id, and are one's own or shared."""
    role = domain["DefaultUserSettings"]["ExecutionRole"]["Fn::GetAtt"][0]
    statements = [
        one
        for one in attached(assembly, role)
        if one["Effect"] == "Allow" and "sagemaker:CreateApp" in one["Action"]
    ]
    assert len(statements) == 2
    for one in statements:
        assert one["Resource"]["Fn::Join"][1][1:] == [{"Ref": "Domain"}, "/*"]
    own, shared = (one["Condition"] for one in statements)
    assert "/${sagemaker:UserProfileName}" in json.dumps(own["ArnLike"]["sagemaker:OwnerUserProfileArn"])
    assert shared == {"StringEquals": {"sagemaker:SpaceSharingType": "Shared"}}


def test_roles_are_assumed_with_the_users_name(assembly):
    """SageMaker sets the source identity, for resources of this account alone."""
    roles = [
        one
        for one in assembly.resources("AWS::IAM::Role", stage=STAGE)
        if one.stack.endswith("-studio") and one.logical_id.startswith("Roles")
    ]
    assert len(roles) == 4
    for role in roles:
        [statement] = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == ["sts:AssumeRole", "sts:SetSourceIdentity"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}


def test_nothing_starts_before_its_role_may_do_something(assembly):
    """The domain waits for the policies, and for the first version of its images."""
    [domain] = assembly.resources("AWS::SageMaker::Domain", stage=STAGE)
    waits = domain.definition["DependsOn"]
    assert [one for one in waits if one.startswith("RolesPolicy")]
    assert [one for one in waits if "ImageVersion" in one]


def test_a_user_may_use_fewer_sizes_than_the_domain():
    """By IAM, whatever Studio shows: for everybody, and for those of whom the file says less."""
    everybody, some = only_sizes(
        ["ml.t3.medium", "ml.m5.large"], {"ana": ["ml.t3.medium"], "ben": ["ml.t3.medium", "ml.m5.large"]}
    )
    assert everybody.effect == some.effect == "Deny"
    assert everybody.conditions == {
        "ForAnyValue:StringNotEquals": {"sagemaker:InstanceTypes": ["ml.t3.medium", "ml.m5.large", "system"]}
    }
    assert some.conditions == {
        "ForAnyValue:StringNotEquals": {"sagemaker:InstanceTypes": ["ml.t3.medium", "system"]},
        "StringEquals": {"aws:SourceIdentity": ["ana"]},
    }


def test_a_user_like_the_domain_has_no_settings():
    """A hundred users are a hundred short resources."""
    studio = Studio()
    user = StudioUser(instances=studio.instances, storage_gb=Storage(), idle_minutes=Idle())
    assert user_settings(studio, user, Offer()) == {}


def test_a_domain_without_extras_has_no_empty_settings():
    """No scripts, images or repositories: their keys are left out."""
    apps = all_apps(["ml.t3.medium"], Idle(), Offer())
    assert set(apps) == {f"{app}AppSettings" for app in APPS.values()}
    for app in apps.values():
        assert set(app) == {"DefaultResourceSpec", "AppLifecycleManagement"}
    everything = portal(Studio(jumpstart=True, project_templates=True), ["ml.t3.medium"])
    assert "HiddenMlTools" not in everything


@pytest.fixture(scope="module")
def other_studio(spec, read, tmp_path_factory):
    """The same team with what the shipped file leaves off: SSO, public internet, shared roles, templates."""
    users = {
        name: user.model_copy(update={"sso_user": f"{name}@x"}) for name, user in spec.studio.users.items()
    }
    off = {
        "sharing": False,
        "docker": False,
        "jumpstart": False,
        "images": {},
        "lifecycle": StudioLifecycle(),
    }
    on = {
        "sign_in": "sso",
        "internet": "public",
        "roles": "domain",
        "project_templates": True,
        "users": users,
    }
    studio = spec.studio.model_copy(update={**off, **on})
    folder = tmp_path_factory.mktemp("cdk.out")
    app = new_app(outdir=str(folder))
    build(app, [spec.model_copy(update={"studio": studio, "jobs": {}, "endpoints": {}, "notebooks": {}})])
    app.synth()
    return read(folder)


def test_people_may_sign_in_through_identity_center(other_studio):
    """Each profile names its user there; the domain is open to the internet where the file says so."""
    [domain] = other_studio.resources("AWS::SageMaker::Domain")
    assert domain.properties["AuthMode"] == "SSO"
    assert domain.properties["AppNetworkAccessType"] == "PublicInternetOnly"
    profiles = of_type(other_studio, "UserProfile", "UserProfileName")
    assert profiles["ada"]["SingleSignOnUserIdentifier"] == "UserName"
    assert profiles["ada"]["SingleSignOnUserValue"] == "ada@x"


def test_people_of_a_persona_may_share_a_role(other_studio):
    """`roles: domain`: data scientists work with the domain's role, others with that of their persona."""
    profiles = of_type(other_studio, "UserProfile", "UserProfileName")
    assert "ExecutionRole" not in profiles["grace"]["UserSettings"]
    assert len({role_of(profiles["ada"]), role_of(profiles["alan"])}) == 2


def test_what_is_off_is_off(other_studio):
    """No sharing, no Docker, no lifecycle configuration, no pretrained models."""
    [domain] = other_studio.resources("AWS::SageMaker::Domain")
    settings_ = domain.properties["DefaultUserSettings"]
    assert settings_["SharingSettings"] == {"NotebookOutputOption": "Disabled"}
    assert domain.properties["DomainSettings"]["DockerSettings"] == {"EnableDockerAccess": "DISABLED"}
    assert "JumpStart" in settings_["StudioWebPortalSettings"]["HiddenMlTools"]
    assert not other_studio.resources("AWS::SageMaker::StudioLifecycleConfig")
    assert "LifecycleConfigArns" not in settings_["JupyterLabAppSettings"]


def test_project_templates_are_offered_to_all_roles_of_studio(other_studio):
    """Shown, associated by a custom resource, and allowed within the boundary."""
    [domain] = other_studio.resources("AWS::SageMaker::Domain")
    hidden = domain.properties["DefaultUserSettings"]["StudioWebPortalSettings"]["HiddenMlTools"]
    assert "Projects" not in hidden
    [offer] = other_studio.resources("Custom::AtelierProjectTemplates")
    assert len(offer.properties["Roles"]) == 3
    allowed = {action for one in other_studio.statements() for action in one.actions}
    limits = {action for one in other_studio.statements(boundaries=True) for action in one.actions}
    wanted = {"servicecatalog:AssociatePrincipalWithPortfolio", "servicecatalog:ProvisionProduct"}
    assert wanted <= allowed & limits
