"""Who is told how to bring the ports over, and which command."""

import pytest

from demo.play.remote import has_display, tunnel


@pytest.mark.parametrize(
    ("environment", "platform", "there"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "darwin", True),
        ({}, "linux", False),  # a container, or a console
        ({"DISPLAY": "localhost:10", "SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}, "linux", False),
        ({"SSH_TTY": "/dev/pts/1"}, "darwin", False),
    ],
)
def test_a_browser_is_only_opened_where_somebody_sees_it(
    environment: dict[str, str], platform: str, there: bool
) -> None:
    """A display of this machine counts; one at the other end of a remote shell does not."""
    assert has_display(environment, platform) is there


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        (
            {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22", "USER": "ada"},
            "ssh -L 8000:127.0.0.1:8000 -L 8005:127.0.0.1:8005 ada@10.0.0.2",
        ),
        ({}, "ssh -L 8000:127.0.0.1:8000 -L 8005:127.0.0.1:8005 USER@here"),
    ],
)
def test_the_tunnel_leads_to_where_the_shell_came_in(environment: dict[str, str], command: str) -> None:
    """The server's address is the one that the remote shell was opened to."""
    assert tunnel(environment, (8000, 8005), "here") == command
