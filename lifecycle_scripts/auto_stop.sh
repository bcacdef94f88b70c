# shellcheck shell=bash
# Lets a notebook instance stop itself when nobody has used it for a while.
#
# By systemd, since Amazon Linux 2023 comes without cron. The system's disk is new at every start, and so is this.

only_in_notebooks
program=$LIFECYCLE_ROOT/usr/local/lib/atelier/auto_stop.py
units=$LIFECYCLE_ROOT/etc/systemd/system
mkdir -p "$(dirname "$program")" "$units"

cat >"$program" <<'PYTHON'
# include: auto_stop.py
PYTHON

cat >"$units/atelier-auto-stop.service" <<UNIT
[Unit]
Description=Stop this notebook instance when it is idle

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 $program $ATELIER_IDLE_MINUTES
UNIT

cat >"$units/atelier-auto-stop.timer" <<UNIT
[Unit]
Description=Look every 5 minutes whether this notebook instance is idle

[Timer]
OnBootSec=5min
OnUnitActiveSec=5min

[Install]
WantedBy=timers.target
UNIT

systemctl daemon-reload
systemctl enable --now atelier-auto-stop.timer
