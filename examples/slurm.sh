#!/bin/bash
# An exploration on a SLURM cluster: `sbatch examples/slurm.sh examples/digits_dvs.toml`, from the repository's root.
# Every node must see this folder under the same path, with .venv in it; nothing else is shared.
#SBATCH --job-name=netweave
#SBATCH --ntasks=16             # one worker process each
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=4G
#SBATCH --time=08:00:00

set -euo pipefail
config=${1:?which configuration?}
. .venv/bin/activate
export OMP_NUM_THREADS=1        # a worker has one core

# the first node of the job has the scheduler; a port of the job's own, as other jobs may share the node
port=$((20000 + ${SLURM_JOB_ID:?not in a job; sbatch starts one} % 10000))
address=tcp://$(hostname):$port
dask scheduler --port "$port" --no-dashboard &
scheduler=$!
srun dask worker "$address" --nthreads 1 --no-dashboard --death-timeout 60 &
trap 'kill $scheduler; wait' EXIT

netweave train "$config"
netweave quantize "$config"
netweave explore "$config" --cluster "$address"
