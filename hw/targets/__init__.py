"""Toolchains that turn the generated Verilog into netlists, counts and bitstreams."""
