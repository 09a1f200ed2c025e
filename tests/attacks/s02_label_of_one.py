"""S2: a label that one customer has; the bin with a bad in it is his.

Who: the bank, following the protocol with a label of its choice (a rare card, a complaint). Procedure: describe that label, and look in
the released statistics for the group that has the bad. Source: protocol review 2.3.
"""

from __future__ import annotations

import numpy as np
from attacked.views import View

from tandem.wire.messages import Statistics


def bins(view: View, variables: int) -> np.ndarray:
    """Return the target's bin of each variable; -1 where no group stands for one bin and has the bad."""
    found = np.full(variables, -1)
    for said in view.messages(Statistics, sent=False):
        at = b = 0
        for j, (size, groups) in enumerate(zip(said.bins, said.groups, strict=True)):
            events, group = np.array(said.events[at : at + groups]), np.array(said.group[b : b + size])
            bad = np.flatnonzero(events)
            if len(bad) == 1 and groups > 1 and (group == bad[0]).sum() == 1:
                found[j] = int(np.flatnonzero(group == bad[0])[0])
            at, b = at + groups, b + size
    return found
