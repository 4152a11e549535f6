"""What the tests of posts share."""

import pytest
from django.db import connection


@pytest.fixture
def no_passages(transactional_db: None) -> None:
    """Tables that Django does not know are not emptied between tests."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE gates_passage, gates_passage_key, gates_untallied")
