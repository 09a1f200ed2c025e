"""T7. Reaction, by the telco: it folds row i twice and leaves row j out, and sees whether the job goes on as it does when it is honest.

Rows and labels add up if i and j are alike, so a job that stops, or goes on otherwise, says that they are not.
Under open weights the points themselves say it: all are 0. Source: security, part 2, T7.
"""

from __future__ import annotations

from attacked.views import View

from tandem.wire.messages import Points


def course(view: View) -> list[tuple[bool, str, str, int]]:
    """Return what is seen of a job without reading its secrets: who spoke to whom, what, and how long it was."""
    return [(one.sent, one.peer, one.kind, len(one.frame)) for one in view.seen]


def alike(view: View, honest: View) -> bool:
    """Say whether rows i and j are of one kind and label: the job's course was that of an honest one."""
    return course(view) == course(honest)


def zeros_told(view: View) -> bool:
    """Say whether points came in the clear, and all of a pass's were 0: a check had failed."""
    return any(not any(message.points) for message in view.messages(Points, sent=False))
