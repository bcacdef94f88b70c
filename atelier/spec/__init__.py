"""What a team file means: loads and checks `teams/<team>.yaml` and says what is wrong, where and what to do.

Neither boto3 nor the CDK is imported here, and nothing but the team files and the script folders is read.
"""

from atelier.spec.load import check_together, load_team, load_teams, load_to_deploy, team_files
from atelier.spec.model import Team, TeamEnvironment
from atelier.spec.problems import Problem, SpecError

__all__ = [
    "Problem",
    "SpecError",
    "Team",
    "TeamEnvironment",
    "check_together",
    "load_team",
    "load_teams",
    "load_to_deploy",
    "team_files",
]
