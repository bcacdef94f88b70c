"""SageMaker Studio, notebook instances, and what they are made from.

Records, not machines: domains, profiles, spaces, apps and notebook instances pass through AWS's statuses in
declared times, hold what they hold on AWS (file system, security groups, interfaces), and refuse what AWS
refuses. Nothing runs in an app or a notebook instance, and lifecycle scripts are kept, not executed.
"""
