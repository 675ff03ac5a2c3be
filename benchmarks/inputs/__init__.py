"""What tests and benchmarks are run on: random graphs, frames and problems, and judges that reason in another way."""
