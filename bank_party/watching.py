"""Progress as a person sees it: one bar for the study, one for the stage, time left for both. Fed by the tap, so it shows what was sent."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tandem.session.tap import Tapped

_WORDS = {
    "en": {
        "study": "study", "align": "align customers", "pass": "pass {} of {}", "errors": "standard errors", "score": "card",
        "describe": "statistics", "measure": "campaign totals",
        "serve": "score customers", "tell": "levels told",
        "Answer": "identifiers answered", "Sealed": "rows sealed", "Shares": "sums opened", "Scores": "scores read",
    },
    "zh": {
        "study": "研究", "align": "对齐客户", "pass": "第 {} 轮，共 {} 轮", "errors": "标准误", "score": "评分卡",
        "describe": "统计", "measure": "活动合计", "serve": "客户评分", "tell": "告知档位",
        "Answer": "已应答标识", "Sealed": "已加密行", "Shares": "已解密合计", "Scores": "已读取分数",
    },
}
_BYTES = {"Answer": 32}


class Watching:
    """Shows a study's progress on a console; use it in `with`."""

    def __init__(self, console: Console, passes: int, stages: int, lang: str, row_bytes: int, pack_bytes: float) -> None:
        """Take the number of passes and of stages, and how many bytes of a frame stand for one row when sealed, and when scored."""
        self._words, self._passes, self._console = _WORDS[lang], passes, console
        self._bytes: dict[str, float] = {**_BYTES, "Sealed": row_bytes, "Scores": pack_bytes}
        self._progress = Progress(
            TextColumn("{task.description:<28}"), BarColumn(bar_width=18), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )
        self._study = self._progress.add_task(self._words["study"], total=stages)
        self._stage: TaskID | None = None
        self._kind = ""
        self._size = 0
        self._done = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begin(self, stage: str, size: int) -> None:
        """Start a stage of `size` rows."""
        if self._stage is not None:
            self._progress.remove_task(self._stage)
            self._progress.advance(self._study)
        self._name = self.title(stage)
        self._stage, self._kind, self._size = self._progress.add_task(self._name, total=size), "", size
        if not self._console.is_terminal:
            self._console.print(self._name)

    def title(self, stage: str) -> str:
        """Return what a stage is called."""
        kind, _, number = stage.partition("_")
        return self._words[kind].format(number, self._passes) if number else self._words[kind]

    def tell(self, text: str) -> None:
        """Print a line above the bars; what the stage's bar showed is shown again from its start."""
        self._progress.console.print(text, soft_wrap=True, highlight=False)
        self._kind = ""

    def tap(self, seen: Tapped) -> None:
        """Move the stage's bar by what a frame carried."""
        if self._stage is None or seen.kind not in self._bytes:
            return
        if seen.kind != self._kind:
            self._kind, self._done = seen.kind, 0.0
            self._progress.reset(self._stage, total=self._size, description=f"{self._name}: {self._words[seen.kind]}")
        # A frame's head and a last pack that is not full weigh more than the rows in them.
        self._done = min(float(self._size), self._done + len(seen.frame) / self._bytes[seen.kind])
        self._progress.update(self._stage, completed=int(self._done))
