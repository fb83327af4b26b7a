"""A live server held to its document: it is spoken to as a client would, with messages made from the schemas."""

from sockspec.contract import reports
from sockspec.contract.outcome import Outcome, Result
from sockspec.contract.plan import Plan
from sockspec.contract.rules import RULES, Rule
from sockspec.contract.running import check, prepare
from sockspec.contract.settings import NoConnection, Settings

__all__ = ["RULES", "NoConnection", "Outcome", "Plan", "Result", "Rule", "Settings", "check", "prepare", "reports"]
