"""The people of the story: the owner, whom the owner wrote with, their cards and their conversations.

Numbers are from the ranges that regulators keep free for fiction; addresses are under example.com and example.net.
"""

from __future__ import annotations

from dataclasses import dataclass

OWNER_NUMBER = "+12025550100"
OWNER_ACCOUNT = f"P:{OWNER_NUMBER}"


@dataclass(frozen=True)
class Handle:
    """One row of `handle`: an address under one service."""

    rowid: int
    address: str
    service: str
    country: str | None
    person: str | None = None
    typed: str | None = None


@dataclass(frozen=True)
class Chat:
    """One row of `chat` with its present members. `style` 45 is direct, 43 a group."""

    rowid: int
    service: str
    identifier: str
    members: tuple[Handle, ...]
    name: str | None = None

    @property
    def is_group(self) -> bool:
        """Whether the chat is a group by Apple's style."""
        return self.identifier.startswith("chat")

    @property
    def guid(self) -> str:
        """Apple's guid of the chat."""
        return f"{self.service};{'+' if self.is_group else '-'};{self.identifier}"


@dataclass(frozen=True)
class Card:
    """One card of the address book; numbers and addresses are (Apple's label, value)."""

    rowid: int
    first: str | None
    last: str | None
    organization: str | None = None
    phones: tuple[tuple[str, str], ...] = ()
    mails: tuple[tuple[str, str], ...] = ()
    owner: bool = False

    @property
    def display(self) -> str:
        """The name as a reader would show it."""
        return " ".join(part for part in (self.first, self.last) if part) or self.organization or ""


ANN = Handle(1, "+12025550171", "iMessage", "us", "A1B2C3D4-0000-4000-8000-000000000001", "(202) 555-0171")
ANN_SMS = Handle(2, "+12025550171", "SMS", "us", "A1B2C3D4-0000-4000-8000-000000000001", "(202) 555-0171")
BJORN = Handle(3, "+493023125456", "iMessage", "de")
BJORN_RCS = Handle(4, "+493023125456", "RCS", "de")
MIKA = Handle(6, "mika.sato@example.com", "iMessage", None)
DANA = Handle(7, "+447700900123", "iMessage", "gb")
BANK = Handle(8, "72975", "SMS", "us")
STRANGER = Handle(9, "+12025550199", "SMS", "us")

HANDLES = (ANN, ANN_SMS, BJORN, BJORN_RCS, MIKA, DANA, BANK, STRANGER)
"""Row 5 was given out and is gone."""

WITH_ANN = Chat(1, "iMessage", "+12025550171", (ANN,))
WITH_ANN_SMS = Chat(2, "SMS", "+12025550171", (ANN_SMS,))
GARDEN = Chat(3, "iMessage", "chat200000000000000001", (ANN, BJORN), "Garden party 🌿")
WITH_MIKA = Chat(4, "iMessage", "mika.sato@example.com", (MIKA,))
FROM_BANK = Chat(5, "SMS", "72975", (BANK,))
WITH_BJORN_RCS = Chat(6, "RCS", "+493023125456", (BJORN_RCS,))
CARPOOL = Chat(8, "SMS", "chat200000000000000002", (ANN_SMS, STRANGER))
EMPTY = Chat(9, "iMessage", "+447700900123", (DANA,))

CHATS = (WITH_ANN, WITH_ANN_SMS, GARDEN, WITH_MIKA, FROM_BANK, WITH_BJORN_RCS, CARPOOL, EMPTY)
"""Row 7 was given out and is gone."""

MOBILE, HOME, WORK = "_$!<Mobile>!$_", "_$!<Home>!$_", "_$!<Work>!$_"

CARDS = (
    Card(1, "Robin", "Sample", phones=((MOBILE, "+1 (202) 555-0100"),), owner=True),
    Card(2, "Ann", "Lee", phones=((MOBILE, "+1 (202) 555-0171"),), mails=((HOME, "ann.lee@example.com"),)),
    Card(3, "Björn", "Köhler", phones=((WORK, "+49 30 23125-456"),)),
    Card(5, "美香", "佐藤", mails=(("Büro", "Mika.Sato@example.com"),)),
    Card(6, None, None, organization="Example Bank <script>alert(1)</script>", phones=((WORK, "72975"),)),
    Card(7, "Dana", "O'Neill", phones=((HOME, "+44 7700 900123"),)),
    Card(8, "Sam", "O'Neill", phones=((HOME, "+44 7700 900123"),)),
)
"""Cards 7 and 8 share one number; card 4 was given out and is gone."""


def names_of(address: str) -> list[str]:
    """The names the cards give an address, in the order of the cards; digits decide for numbers, letters else."""
    found = []
    for card in CARDS:
        numbers = {"+" * value.startswith("+") + "".join(filter(str.isdigit, value)) for _, value in card.phones}
        mails = {value.lower() for _, value in card.mails}
        if address in numbers | mails:
            found.append(card.display)
    return found
