"""What is erased of people is in no file of the data folder."""

import secrets
from pathlib import Path

from shared.embedded.migrations import open_database
from shared.embedded.people import EmbeddedPeople


def test_erased_people_are_in_neither_the_database_nor_its_log(tmp_path: Path) -> None:
    database = open_database(tmp_path / "db")
    name = secrets.token_hex(50)
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO persons VALUES ('c', ?, 'v', ?)",
            [(str(number), f'{{"name": "{name}"}}') for number in range(9)],
        )

    def copies() -> int:
        return sum(file.read_bytes().count(name.encode()) for file in tmp_path.glob("db*"))

    assert copies() >= 9
    assert EmbeddedPeople(database).erase("c", 10) == (0, False)
    assert copies() == 0
    database.close()
