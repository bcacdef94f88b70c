"""Where SageMaker's jobs and endpoints differ from AWS's; COVERAGE.md lists it."""

from __future__ import annotations

_TEXT = """
A container is a process in a Python environment, cached by its requirements, with an /opt/ml of its own
where the system allows a private mount namespace; where not, the log says so and SAGEMAKER_BASE_DIR names
the folder. What a job installs lies in a layer over the environment and ends with the job.

A managed framework image runs the submitted script in the environment of its requirements.txt, or of the
framework's packages, on this machine's CPU or whatever GPU it has.

BlazingText is fastText. With early_stopping the epochs are told apart by a training loop of our own on
fastText's matrices, which takes fastText's steps with one thread; without it, and for word vectors,
fastText trains as it is. batch_skipgram trains as skipgram. There is no evaluation on WordSimilarity-353,
hence no train:mean_rho. Augmented manifests are refused.

XGBoost's algorithm mode is xgboost. _kfold, Dask on GPUs, more than one instance, AWS's own metrics
(accuracy, f1 and such), recordio-protobuf and SAGEMAKER_INFERENCE_OUTPUT are refused.

An own image `…/<name>` runs the files train and serve of the folder <name> below `--containers`, in the
environment of its requirements.txt, in that folder; it is never built, so what its Dockerfile installs
beside is not there. Servers listen on SAGEMAKER_BIND_TO_PORT, not on 8080;
SAGEMAKER_BIND_TO_HOST, which AWS does not set, is 127.0.0.1: with it a server keeps to this machine.

Several instances are processes algo-1 to algo-n on this machine that find each other by name (127.x.y.z).
torchrun (sagemaker_torch_distributed_enabled), mpirun (sagemaker_mpi_enabled) and parameter servers
(sagemaker_parameter_server_enabled) start the script as AWS's containers do; smdistributed and the other
launchers are refused by name, and so is one that the image does not know. Ports are free ones, not AWS's
7777, 2222, 2223 and 8000.

MPI is Open MPI 5, whose wheel and mpi4py's are added to the job's environment; AWS's images have Open MPI 4,
some of whose options have other names. Each host's ranks run in its own container, started through a socket
in sshd's place; messages keep to lo, but Open MPI's daemons listen on every address and, for several hosts,
need an interface other than lo.

TensorFlow's servers listen on every address of this machine. MXNet's last release needs a numpy before
1.24, which the job's requirements.txt must name.

FastFile is a file system (FUSE) that reads from S3 what is read of it; where the system has none, the files
are downloaded first and the log says so. Pipe is a FIFO for each epoch. CompressionType is refused.

Each job has a share of the processors, a low priority and a limit of memory (`--job-cpus`,
`--job-memory-gb`; all processors but one and half of the memory if not given). Memory is looked at twice a
second, all processes of a job together; too much ends the job with AWS's reason.

Capacity of managed spot training is taken back when a running job is tagged `localaws:interrupt` (AddTags;
the tag is not kept): SIGTERM, checkpoints carried to S3, then the job starts again from there. A second of
it is billed as 0.3.

A processing job needs a ContainerEntrypoint; its outputs are kept only when it succeeds, except Continuous
ones. S3InputMode Pipe, compression, data sets and feature stores are refused.

A batch transform is one server process, however many instances it asks for. SplitType RecordIO and TFRecord
are refused; filters take names, indices, slices and lists of these.

Tuning: Random and Grid are as on AWS, Bayesian is answered by random search and the log says so; Hyperband,
warm start, Autotune and several training job definitions are refused. Early stopping follows the median
rule over all values that were logged.
"""

DIFFERENCES = tuple(" ".join(paragraph.split()) for paragraph in _TEXT.strip().split("\n\n"))
