"""What people sent and what they said of it: pictures, reports, labels and tokens, stored beside the generations."""

from workflow.inbox.inbox import Inbox, folder
from workflow.inbox.labels import Answer, Decision, Undone
from workflow.inbox.pictures import Facts, Known
from workflow.inbox.queues import Filters, Item, Page, Queue
from workflow.inbox.tokens import OWNER, Token

__all__ = [
    "OWNER",
    "Answer",
    "Decision",
    "Facts",
    "Filters",
    "Inbox",
    "Item",
    "Known",
    "Page",
    "Queue",
    "Token",
    "Undone",
    "folder",
]
