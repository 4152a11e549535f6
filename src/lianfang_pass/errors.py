"""Why something that was read is not accepted."""


class Rejected(ValueError):
    """Not accepted; `code` says why, in words that a log and a test can hold on to."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
