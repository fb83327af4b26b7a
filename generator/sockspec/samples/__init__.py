"""Payloads made from schemas: such as obey every keyword, and such as break one."""

from sockspec.samples.breaking import Broken, broken
from sockspec.samples.judge import Judge
from sockspec.samples.making import NoSample, valid

__all__ = ["Broken", "Judge", "NoSample", "broken", "valid"]
