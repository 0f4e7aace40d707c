"""Request and reply: somebody waits, for a short time, for what a worker computes.

    @messaging.answers(queue="previews", timeout=3.0)
    def preview(*, photo_id: str, turn: int) -> bytes: ...

    preview.ask(photo_id="…", turn=90)      # in the web process: the bytes, or NotAnswered

A question is a plain message: nothing of it is kept, and what is not answered by its deadline is
never worked on. docs/messaging.md says what is promised and how.
"""
