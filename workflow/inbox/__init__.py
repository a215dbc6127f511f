"""What people sent, and the decisions about it: pictures, reports, labels and tokens, stored beside the generations."""

from workflow.inbox.decisions import Answer, Decision, Undone
from workflow.inbox.fillings import Item
from workflow.inbox.inbox import Inbox
from workflow.inbox.paging import Filters, Page
from workflow.inbox.pictures import Facts, Known, Submission
from workflow.inbox.queues import Queue
from workflow.inbox.submitting import Entered, Kept
from workflow.inbox.tokens import OWNER, Token
from workflow.inbox.writer import acknowledged

__all__ = [
    "OWNER",
    "Answer",
    "Decision",
    "Entered",
    "Facts",
    "Filters",
    "Inbox",
    "Item",
    "Kept",
    "Known",
    "Page",
    "Queue",
    "Submission",
    "Token",
    "Undone",
    "acknowledged",
]
