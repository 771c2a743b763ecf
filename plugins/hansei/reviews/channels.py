"""From an Airflow connection to an opened channel, of whichever kind the recipient's definition names."""

from __future__ import annotations

from hansei.connections import Connection
from hansei.reviews.outcomes import SendingChannel


def open_channel(connection: Connection, kind: str, recipient_id: str) -> SendingChannel:
    """The channel, mail or chat; NotSent where the connection is ill set up. Nothing is connected yet."""
    if kind == "mail":
        from hansei.reviews.mail import open_mail

        return open_mail(connection, recipient_id)
    from hansei.reviews.chat import open_chat

    return open_chat(connection)
