"""The open toolchains, a file for each family of FPGAs."""
