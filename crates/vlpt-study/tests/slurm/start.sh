#!/bin/sh
# Starts a Slurm of one machine from Debian's packages, for tests. Everything it writes is in DIR.
#
#   sh start.sh DIR          starts it; needs root; prints the path of its configuration
#   sh start.sh stop DIR     ends it
#
# Packages, where they are missing: apt-get install slurm-wlm munge
set -eu

if [ "$1" = stop ]; then
    for daemon in slurmd slurmctld munged; do
        [ -s "$2/$daemon.pid" ] && kill "$(cat "$2/$daemon.pid")" 2>/dev/null || true
    done
    exit 0
fi

dir=$1
[ "$(id -u)" = 0 ] || { echo "start.sh: not root" >&2; exit 1; }
if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
    if [ "${VLPT_INSTALL_SLURM:-}" = 1 ]; then
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            slurm-wlm munge >&2
    else
        echo "start.sh: no slurmctld: install slurm-wlm and munge, or set VLPT_INSTALL_SLURM=1" >&2
        exit 1
    fi
fi

mkdir -p "$dir/state" "$dir/spool"
chmod 755 "$dir"
head -c 1024 /dev/urandom >"$dir/munge.key"
chmod 600 "$dir/munge.key"
munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" \
    --pid-file="$dir/munged.pid" --seed-file="$dir/munge.seed" --log-file="$dir/munged.log"

host=$(hostname -s)
cpus=$(nproc)
# A requeued job waits until its credential expires: 5 seconds here, not 120.
cat >"$dir/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket,cred_expire=5
SlurmctldPort=${VLPT_SLURM_PORT:-16817}
SlurmdPort=$((${VLPT_SLURM_PORT:-16817} + 1))
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=1,sched_interval=2
ReturnToService=2
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=test Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$dir/slurm.conf"
slurmctld -c
slurmd -c
tries=0
until sinfo -h -o %T 2>/dev/null | grep -qE '^(idle|mixed|allocated)'; do
    tries=$((tries + 1))
    if [ "$tries" -gt 50 ]; then
        echo "start.sh: the node did not come up" >&2
        tail -n 20 "$dir/slurmctld.log" "$dir/slurmd.log" >&2 || true
        exit 1
    fi
    sleep 0.2
done
echo "$SLURM_CONF"
