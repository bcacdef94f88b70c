"""Network, Studio, notebooks, guardrails and budget: what fits, and what is refused where."""

from __future__ import annotations

from pathlib import Path

import pytest

from atelier.spec import SpecError, load_team, load_teams, load_to_deploy

NETWORK = "environments.dev.network"

STUDIO = [
    ("sign_in: sso", "sign_in: iam", "studio.identity_center", "belongs to  sign_in: sso", "sign_in: sso"),
    (
        "  identity_center: arn:aws:sso:::instance/ssoins-0123456789abcdef\n",
        "",
        "studio.sign_in",
        "needs an IAM Identity Center instance",
        "list-instances",
    ),
    (
        "ssoins-0123456789abcdef",
        "me",
        "studio.identity_center",
        "ARN of an IAM Identity",
        "such as  arn:aws:",
    ),
    ("{sso_user: joe}", "{}", "studio.users.joe", "does not say as whom", "add  sso_user"),
    (
        "{sso_user: joe}",
        "{sso_user: JANE@example.com}",
        "studio.users.joe.sso_user",
        "user jane has",
        "remove",
    ),
    (
        "    joe: {",
        "    Jane: {sso_user: x}\n    joe: {",
        "studio.users.Jane",
        "jane is there already",
        "rename",
    ),
    (
        "    joe: {",
        "    j.x: {sso_user: x}\n    joe: {",
        "studio.users.j.x",
        "letters, digits and",
        "jane-doe",
    ),
    (
        "    joe: {",
        f"    {'j' * 64}: {{}}\n    joe: {{",
        f"studio.users.{'j' * 64}",
        "64 characters; 63",
        "by 1",
    ),
    (
        "[ml.t3.medium, ml.m5.large]",
        "[ml.m5.large, ml.t3.medum]",
        "studio.instances[1]",
        "for studio",
        "medium",
    ),
    (
        "[ml.t3.medium, ml",
        "[ml.p2.xlarge, ml.t3.medium, ml",
        "studio.instances[0]",
        "retired",
        "ml.g5.xlarge",
    ),
    ("[ml.t3.medium, ml", "[ml.m5.large, ml.t3.medium, ml", "studio.instances[2]", "twice", "remove one"),
    (
        "{default: 10, max: 50}",
        "{default: 60, max: 50}",
        "studio.storage_gb.default",
        "more than max, 50",
        "lower",
    ),
    (
        "{default: 10, max: 50}",
        "{default: 4, max: 50}",
        "studio.storage_gb.default",
        "at least 5",
        "5 or more",
    ),
    ("{max: 500}", "{max: 16385}", "studio.users.jane.storage_gb.max", "at most 16384", "16384 or less"),
    ("{max: 500}", "{max: 5}", "studio.users.jane.storage_gb", "10 is more than max, 5", "raise max"),
    (
        "{default: 90, min: 60, max: 120}",
        "{default: 70, min: 80, max: 120}",
        "studio.idle_minutes.default",
        "less than min, 80",
        "lower min",
    ),
    ("min: 60,", "min: 59,", "studio.idle_minutes.min", "at least 60", "60 or more"),
    ("{max: 480}", "{max: 525601}", "studio.users.jane.idle_minutes.max", "at most 525600", "or less"),
    ("[AutoMl]", "[AutoML]", "studio.hidden_tools[0]", "no such tool", "did you mean AutoMl?"),
    ("[AutoMl]", "[Evaluators]", "studio.hidden_tools[0]", "CloudFormation cannot hide", "remove it"),
    (
        'com/example/one.git"]',
        f'com/{"e" * 238}"]',
        "studio.repositories[0]",
        "257 characters; 256",
        "by 1 c",
    ),
    (
        'https://github.com/example/one.git"]',
        'git@github.com:example/one.git"]',
        "studio.repositories[0]",
        "https",
        "",
    ),
    (
        "[git_identity]",
        "[git_identiti]",
        "studio.lifecycle.code_editor[0]",
        "there is no",
        "mean git_identity?",
    ),
    (
        "[git_identity]",
        "[docker_data_directory]",
        "studio.lifecycle.code_editor[0]",
        "notebook instances",
        "move",
    ),
    ("[git_identity]", "[windows]", "studio.lifecycle.code_editor[0]", "(CRLF), first in line 1", "sed -i"),
    ("[git_identity]", "[latin]", "studio.lifecycle.code_editor[0]", "not UTF-8, first in line 1", "save"),
    ("[git_identity]", "[too_long]", "studio.lifecycle.code_editor", "takes 16,384", "part is too_long with"),
    ("[install_packages]", "[]", "studio.packages", "no lifecycle script installs", "install_packages"),
    ("  packages: packages.txt\n", "", "studio.lifecycle.jupyterlab[0]", "nothing is there", "add  packages"),
    (
        "packages: packages.txt",
        "packages: package.txt",
        "studio.packages",
        "no such file",
        "write package.txt",
    ),
    ("packages: packages.txt", "packages: ../x", "studio.packages", "file of this project", "such as"),
    (
        "      git_email: jane@example.com\n",
        "",
        "studio.users.jane",
        "a name and an address",
        "add  git_email",
    ),
    (
        "git_email: jane@example.com",
        "git_email: j|d@example.com",
        "studio.users.jane.git_email",
        "without a vertical bar",
        "jane@example.com",
    ),
    ("Jane Doe", "Jane | Doe", "studio.users.jane.git_name", "vertical bar", "Jane Doe"),
    (
        "  jumpstart: false\n  project_templates: true\n  hidden_tools: [AutoMl]",
        "  jumpstart: true\n  hidden_tools: [AutoMl, JumpStart]",
        "studio.hidden_tools[1]",
        "studio.jumpstart (line ",
        "write  jumpstart: false",
    ),
    (
        "[AutoMl]",
        "[Projects]",
        "studio.hidden_tools[0]",
        "studio.project_templates (line ",
        "write  project_templates: false, or remove",
    ),
    (
        "instances: [ml.m5.large]\n      storage",
        "instances: [ml.m5.xlarge]\n      storage",
        "studio.users.jane.instances[0]",
        "not among the instances of the domain",
        "studio.instances",
    ),
    (
        "owner: jane, shared",
        "owner: jan, shared",
        "studio.spaces.lab.owner",
        "no such user",
        "did you mean jane?",
    ),
    (
        "shared: true, instance: ml.m5.large",
        "instance: ml.t3.medium",
        "studio.spaces.lab.instance",
        "jane may not",
        "",
    ),
    ("storage_gb: 100", "storage_gb: 501", "studio.spaces.lab.storage_gb", "may have 500 GB", "raise"),
    (
        "{owner: joe}",
        "{owner: joe, app: JupyterServer}",
        "studio.spaces.desk.app",
        "Studio Classic",
        "jupyterlab",
    ),
    ("{image: own, tag", "{image: on, tag", "studio.images.own.image", "no image is declared", "mean own?"),
    ('tag: "1.4.0"', "tag: 1.4", "studio.images.own.tag", "must be text", "quotes"),
]

NOTEBOOKS = [
    ("volume_gb: 200", "volume_gb: 4", "notebooks.bench.volume_gb", "at least 5", "5 or more"),
    ("volume_gb: 200", "volume_gb: 16385", "notebooks.bench.volume_gb", "at most 16384", "16384 or less"),
    (
        "[docker_data_directory]",
        "[docker_data]",
        "notebooks.bench.lifecycle[0]",
        "there is no",
        "docker_data_directory?",
    ),
    ("0 19 * * ? *", "0 25 * * ? *", "notebooks.bench.stop_at", "'25' is no hours", "between 0 and 23"),
    ("cron(0 19 * * ? *)", "rate(1 day)", "notebooks.bench.stop_at", "cron expression", "cron(0 19"),
    ("owner: jane\n", "owner: jan\n", "notebooks.bench.owner", "no such user", "did you mean jane?"),
]

GUARDRAILS = [
    (
        "training_instances: [ml.m5.*, ml.c5.*]",
        "training_instances: [ml.m5.large, ml.c5.*]",
        "jobs.curve.instances[1]",
        "ml.m5.xlarge is not allowed by guardrails.training_instances (line ",
        "ml.m5.large, ml.c5.*, or allow it there",
    ),
    (
        "endpoint_instances: [ml.m5.*]",
        "endpoint_instances: [ml.c5.*]",
        "endpoints.curve.instance",
        "ml.m5.large",
        "",
    ),
    (
        "studio_instances: [ml.t3.*, ml",
        "studio_instances: [ml.t3.large, ml",
        "studio.instances[0]",
        "t3.medium",
        "",
    ),
    (
        "instances: [ml.g5.xlarge]",
        "instances: [ml.g4dn.*]",
        "notebooks.bench.instance",
        "ml.g5.xlarge",
        "g4dn",
    ),
    (
        "[ml.m5.*, ml.c5.*]",
        "[ml.m5.*, ml.c5.*, ml.m55.*]",
        "guardrails.training_instances[2]",
        "no such family",
        "?",
    ),
    (
        "[ml.m5.*, ml.c5.*]",
        "[ml.m5.*, ml.c5.*, ml.p2.*]",
        "guardrails.training_instances[2]",
        "retired",
        "g5",
    ),
    (
        "[ml.m5.*, ml.c5.*]",
        "[ml.m5.*, ml.c5.*, ml.c5.*]",
        "guardrails.training_instances[2]",
        "twice",
        "remove",
    ),
    ("[ml.m5.*, ml.c5.*]", "[ml.*]", "guardrails.training_instances[0]", "or a family", "ml.m5.*"),
    (
        "max_runtime_minutes: 120",
        "max_runtime_minutes: 30",
        "jobs.curve.max_runtime_minutes",
        "is more than the 30 minutes of guardrails.max_runtime_minutes (line ",
        "raise the guardrail",
    ),
]

NETWORKS = [
    ("10.1.0.0/20", "10.1.0.0/33", f"{NETWORK}.cidr", "is no range", "such as"),
    ("10.1.0.0/20", "10.1.0.1/20", f"{NETWORK}.cidr", "host bits", "write  10.1.0.0/20"),
    ("10.1.0.0/20", "10.0.0.0/15", f"{NETWORK}.cidr", "larger than a VPC", "10.0.0.0/16"),
    ("10.1.0.0/20", "10.1.0.0/27", f"{NETWORK}.cidr", "too small for three zones", "write  10.1.0.0/26"),
    ("10.1.0.0/20", "172.16.0.0/15", f"{NETWORK}.cidr", "larger than a VPC", "172.16.0.0/16"),
    ("10.1.0.0/20", "172.17.128.0/20", f"{NETWORK}.cidr", "which Docker uses", "10.0.0.0/16"),
    ("10.1.0.0/20", "8.8.0.0/20", f"{NETWORK}.cidr", "private addresses", "10.0.0.0/16"),
    *(
        ("10.1.0.0/20", f"{first}.0.0/16", f"{NETWORK}.cidr", "private addresses", "172.16.0.0/12")
        for first in ("127.0", "0.0", "198.19", "169.254", "224.0", "240.0", "192.0", "172.32")
    ),
    ("10.1.0.0/20", "10.1/20", f"{NETWORK}.cidr", "an IPv4 range", "10.0.0.0/16"),
    ("zones: 3", "zones: 4", f"{NETWORK}.zones", "must be 2 or 3", ""),
    ("internet: nat", "internet: none", f"{NETWORK}.allow", "nothing to allow", "internet: nat"),
    ('["*.pypi.org"]', '["https://pypi.org"]', f"{NETWORK}.allow[0]", "domain name", "*.pypi.org"),
    ('["*.pypi.org"]', "[a.org, a.org]", f"{NETWORK}.allow[1]", "twice", "remove"),
    (
        "mode: created",
        "vpc: vpc-0a1b2c3d\n      mode: created",
        f"{NETWORK}.vpc",
        "mode existing",
        "remove vpc",
    ),
    ("      vpc: vpc-0a1b2c3d\n", "", "environments.prod.network", "id of its VPC", "add  vpc"),
    (
        ", subnet-1a1b2c3d]",
        "]",
        "environments.prod.network.subnets",
        "two availability zones",
        "add  subnets",
    ),
    (
        "      subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]\n",
        "",
        "environments.prod.network",
        "two availability zones",
        "add  subnets",
    ),
    ("subnet-1a1b2c3d", "subnet-0a1b2c3d", "environments.prod.network.subnets[1]", "twice", "remove"),
    ("vpc: vpc-0a1b2c3d", "vpc: 0a1b2c3d", "environments.prod.network.vpc", "id of a VPC", "vpc-"),
    (
        "monthly_usd: 4000",
        "monthly_usd: 0",
        "environments.prod.budget.monthly_usd",
        "at least 1",
        "1 or more",
    ),
    ("alerts: [50, 100]", "alerts: [100, 50]", "environments.prod.budget.alerts[1]", "ascend", "[50, 100]"),
    (
        "alerts: [50, 100]",
        "alerts: [50, 1001]",
        "environments.prod.budget.alerts[1]",
        "at most 1000",
        "or less",
    ),
    (
        '["777788889999"]',
        '["777788889999", "777788889999"]',
        "images.own.pull_from_accounts[1]",
        "twice",
        "remove",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "path", "reason", "remedy"), [*STUDIO, *NOTEBOOKS, *GUARDRAILS, *NETWORKS]
)
def test_parts_that_do_not_fit(refused, rich, old, new, path, reason, remedy):
    """What AWS, the project or another part of the file does not take is refused where it stands."""
    assert old in rich
    problems = [p for p in refused(rich.replace(old, new, 1), "vision") if p.path == path]
    assert any(reason in p.reason and remedy in p.remedy for p in problems), problems


@pytest.mark.parametrize(
    ("part", "path", "reason", "remedy"),
    [
        ("studio: {}", "studio", "a Studio domain needs a network", "network: {mode: created}"),
        ("notebooks: {one: {}}", "notebooks.one", "a notebook instance needs a network", "mode: created"),
        (
            "notebooks: {one: {lifecycle: [git_identity]}}",
            "notebooks.one.lifecycle[0]",
            "nothing is",
            "git_name",
        ),
        ("guardrails: {require_vpc: true}", "guardrails.require_vpc", "has no network", "or remove this"),
        (
            "guardrails: {network_isolation: true}",
            "jobs.curve.script",
            "over the network, which guardrails.network_isolation (line 11) takes away",
            "require_vpc",
        ),
        ("accelerator_type: ml.eia2.medium", "accelerator_type", "Elastic Inference", "GPU type"),
        ("guardrail: {}", "guardrail", "no key", "did you mean guardrails?"),
        ("guardrails: {max_runtime: 5}", "guardrails.max_runtime", "no key", "max_runtime_minutes?"),
    ],
)
def test_what_an_environment_lacks(refused, smallest, part, path, reason, remedy):
    """A part that needs another one says so, with the way to add it."""
    problems = {problem.path: problem for problem in refused(f"{smallest}{part}\n")}
    assert reason in problems[path].reason
    assert remedy in problems[path].remedy


def test_a_part_that_is_no_part_hides_nothing_of_the_others(refused, rich):
    """What is wrong with the jobs is told beside a wrong key of Studio; nobody is blamed for its users."""
    wrong = rich.replace("sign_in: sso", "sing_in: sso").replace("metric: validation:rmse", "metric: x")
    assert {problem.path for problem in refused(wrong, "vision")} == {
        "studio.sing_in",
        "jobs.curve.gate.metric",
    }


def test_nothing_written_reaches_the_terminal_as_a_command(refused, smallest):
    """Control characters, and those that nobody sees, are shown by their codes."""
    [problem] = refused(smallest.replace("tiny", '"t\\e[31m\u200b"'))
    assert r"t\x1b[31m\u200b" in str(problem)
    assert "\x1b" not in str(problem)


def test_who_is_told_is_told_once(refused, smallest):
    """An address that stands twice in a list is refused."""
    text = smallest.replace("[you@example.com]", "[a@b.co, a@b.co]")
    text = text.replace("eu-west-1}", "eu-west-1, notify: [c@d.co, c@d.co]}")
    assert [problem.path for problem in refused(text)] == ["owners[1]", "environments.dev.notify[1]"]


def loaded(project, text, name="vision"):
    """The environments of a team file's text."""
    path = project / "teams" / f"{name}.yaml"
    path.write_text(text)
    return load_team(path).environments


def test_what_is_declared_reaches_the_environment(project, rich):
    """The environment carries each part as written, overrides merged, and the team's other accounts."""
    dev, prod = loaded(project, rich).values()
    assert (dev.network.mode, dev.network.zones, prod.network.mode) == ("created", 3, "existing")
    assert prod.budget is not None
    assert (dev.budget, prod.budget.monthly_usd, prod.budget.stop_at_limit) == (None, 4000, True)
    assert (dev.other_accounts, prod.other_accounts) == (["444455556666"], ["111122223333"])
    assert dev.notebooks["bench"].stop_at == "cron(0 19 * * ? *)"
    assert (prod.retain, prod.termination_protection) == (True, False)


def test_a_user_has_the_limits_of_the_domain_where_it_has_none_of_its_own(project, rich):
    """Users come with everything filled in, key by key; spaces with their size.

    Not with a volume: another default would change those of spaces in use.
    """
    studio = loaded(project, rich)["dev"].studio
    assert studio is not None
    jane, joe = studio.users["jane"], studio.users["joe"]
    assert (jane.instances, joe.instances) == (["ml.m5.large"], ["ml.t3.medium", "ml.m5.large"])
    assert [(one.default, one.max) for one in (jane.storage_gb, joe.storage_gb)] == [(10, 500), (10, 50)]
    assert [(one.default, one.min, one.max) for one in (jane.idle_minutes, joe.idle_minutes)] == [
        (90, 60, 480),
        (90, 60, 120),
    ]
    assert (studio.spaces["desk"].instance, studio.spaces["desk"].storage_gb) == ("ml.t3.medium", None)


def test_prod_is_retained_and_protected_unless_it_says_otherwise(project, smallest):
    """An environment named prod keeps its data and its stacks; another does not."""
    text = smallest.replace("dev:", "prod:")
    kept = loaded(project, text, "tiny")["prod"]
    assert (kept.retain, kept.termination_protection) == (True, True)
    given_up = loaded(project, text.replace("eu-west-1}", "eu-west-1, retain: false}"), "tiny")["prod"]
    assert (given_up.retain, given_up.termination_protection) == (False, False)
    dev = loaded(project, smallest, "tiny")["dev"]
    assert (dev.retain, dev.termination_protection) == (False, False)


def test_a_network_is_required_where_there_is_one(project, rich, smallest):
    """Jobs must run in the environment's network if it has one, unless the file says otherwise."""
    assert loaded(project, smallest, "tiny")["dev"].guardrails.require_vpc is False
    networked = smallest.replace("eu-west-1}", "eu-west-1, network: {mode: created}}")
    assert loaded(project, networked, "tiny")["dev"].guardrails.require_vpc is True


def test_a_guardrail_shortens_jobs_that_say_nothing_of_their_runtime(project, smallest):
    """A job whose runtime is a default stays within the guardrail; only a written one can break it."""
    environments = loaded(project, f"{smallest}guardrails: {{max_runtime_minutes: 45}}\n", "tiny")
    assert environments["dev"].jobs["curve"].max_runtime_minutes == 45


def network(cidr):
    """An environment's network of these addresses."""
    return f"eu-west-1, network: {{mode: created, cidr: {cidr}}}}}"


def test_networks_of_a_team_must_not_overlap(refused, project, smallest):
    """Two networks of one account and region need different addresses; elsewhere they may be the same."""
    dev = '  dev: {account: "111122223333", region: eu-west-1}\n'
    first = dev.replace("eu-west-1}", network("10.0.0.0/16"))
    second = dev.replace("dev", "test").replace("eu-west-1}", network("10.0.128.0/20"))
    [problem] = refused(smallest.replace(dev, first + second))
    assert problem.path == "environments.test.network.cidr"
    assert problem.reason == "10.0.128.0/20 overlaps 10.0.0.0/16 of tiny-dev, in the same account and region"
    assert problem.remedy == "write  cidr: 10.1.0.0/16"
    assert (problem.line, problem.value) == (5, "10.0.128.0/20")
    elsewhere = second.replace("111122223333", "444455556666")
    assert len(loaded(project, smallest.replace(dev, first + elsewhere), "tiny")) == 2


@pytest.fixture
def neighbours(project, smallest, tmp_path):
    """Writes a fresh folder of teams, each with a network of these addresses or the default ones."""
    (tmp_path / "training_scripts").symlink_to(project / "training_scripts")
    folder = tmp_path / "teams"
    folder.mkdir()

    def write(**networks: str) -> Path:
        for team, cidr in networks.items():
            mode = f"{{mode: created, cidr: {cidr}}}" if cidr else "{mode: created}"
            text = smallest.replace("tiny", team).replace("eu-west-1}", f"eu-west-1, network: {mode}}}")
            (folder / f"{team}.yaml").write_text(text)
        return folder

    return write


def test_networks_of_two_teams_must_not_overlap(neighbours):
    """All team files are compared when all are loaded; the default addresses count too."""
    folder = neighbours(one="", two="", three="")
    with pytest.raises(SpecError) as caught:
        load_teams(folder)
    assert [(p.file.name, p.remedy) for p in caught.value.problems] == [
        ("three.yaml", "write  cidr: 10.1.0.0/16"),
        ("two.yaml", "write  cidr: 10.2.0.0/16"),
    ]
    assert load_teams(folder, team="two")


@pytest.mark.parametrize("written", ["10.0.0.0/16", ""])
def test_one_team_alone_is_compared_with_the_others_before_it_is_deployed(neighbours, written):
    """In the words in which all are; the proposed range is free, how others overlap is their own affair."""
    folder = neighbours(one="10.0.0.0/20", two=written, three="10.1.0.0/16", four="10.1.0.0/16")
    (folder / "wrong.yaml").write_text('account: "111122223333"\ncreated: [')
    for team in ("one", "two"):
        with pytest.raises(SpecError) as caught:
            load_to_deploy(folder, team=team, env="dev")
        [problem] = caught.value.problems
        assert problem.file.name == "one.yaml"
        assert problem.reason == (
            "10.0.0.0/20 overlaps 10.0.0.0/16 of two-dev, in the same account and region"
        )
        assert problem.remedy == "write  cidr: 10.2.0.0/16"


def test_one_team_alone_is_deployed_beside_those_that_do_not_overlap(neighbours):
    """Networks elsewhere or of other addresses do not matter, and most files need not even be parsed."""
    folder = neighbours(one="10.5.0.0/16", two="10.6.0.0/16", three="10.5.0.0/20")
    elsewhere = (folder / "three.yaml").read_text().replace("111122223333", "444455556666")
    (folder / "three.yaml").write_text(elsewhere)
    assert load_to_deploy(folder, team="one")


def test_the_smallest_network_and_a_long_script_are_allowed(project, rich):
    """A /25 holds six /28; 10,000 bytes and the prelude are less than 16,384 characters of base64."""
    text = rich.replace("10.1.0.0/20", "10.1.0.0/25").replace("[git_identity]", "[long]")
    assert loaded(project, text)["dev"].network.cidr == "10.1.0.0/25"


def test_what_a_script_carries_counts(refused, rich):
    """Many authors make the script that knows them too long; the error stands where it is chosen."""
    people = "\n".join(
        f"    p{n}: {{sso_user: p{n}, git_name: {'Person ' * 8}{n}, git_email: person{n}@lab.example.com}}"
        for n in range(150)
    )
    [problem] = refused(rich.replace("  users:\n", f"  users:\n{people}\n"), "vision")
    assert problem.path == "studio.lifecycle.code_editor"
    assert "the largest part is ATELIER_IDENTITIES" in problem.remedy
