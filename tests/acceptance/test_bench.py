"""A model of a running server is measured by its name."""

from tests.acceptance.scene import Scene


def test_the_champion_of_a_server_is_measured_here(scene: Scene) -> None:
    """Its file and card come over the API, out of its bundle, and nothing of them stays."""
    before = set(scene.server.folder.iterdir())
    told = scene.server.json("bench", "grades", "--seconds", "1", "--rows-max", "2")
    assert told["benched"]["model"] == "grades@1"
    assert told["benched"]["why_alone"] == ""
    assert "[session]" in told["card"]
    assert set(scene.server.folder.iterdir()) == before
    missing = scene.server.run("bench", "nobody", check=False)
    assert (missing.returncode, "nobody" in missing.stderr) == (3, True), missing.stderr
