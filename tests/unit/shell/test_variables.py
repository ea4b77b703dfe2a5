"""Variables in the place of a word of a command: a shell hands their values on as they are."""

import subprocess

import pytest

from updraft.shell.variables import UncertainQuotesError, variable_at

_NASTY = """a b'c"d $HOME `id` $(id) * \\ ; & | #e"""


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("printf %s @", "{}"),
        ("printf %s -p=@", "-p={}"),
        ('printf %s "@"', "{}"),
        ('printf %s "u:@:h"', "u:{}:h"),
        ("printf %s 'x y'@\"z\"", "x y{}z"),
        ("printf %s it\\'s@", "it's{}"),
        ('printf %s "it\'s \\" @"', "it's \" {}"),
        ("# it's odd\nprintf %s @", "{}"),
        ("printf %s $(echo x)@", "x{}"),
        ("printf %s `echo x`-@", "x-{}"),
        ('printf %s "$(echo x)@"', "x{}"),
        ("printf %s x#'y'@", "x#y{}"),
        ("cat <<< x > /dev/null; printf %s @", "{}"),
        ("printf %s '@'", "{}"),
        ("printf %s -p'a @ \"b'", '-pa {} "b'),
        ('cat <<END\nit\'s "@"\nEND\n', 'it\'s "{}"\n'),
        ("cat > /dev/null <<'END'\nit's $(\nEND\nprintf %s @", "{}"),
        ("cat <<-END | cat\n\tx\n\tEND\nprintf %s '@'", "x\n{}"),
        ("cat <<A <<B\n\nA\n@\nB\n", "{}\n"),
    ],
)
def test_a_value_arrives_as_it_is(command, printed):
    before, _, after = command.partition("@")
    text = f"{before}{variable_at(before, 'SECRET')}{after}"
    done = subprocess.run(
        ["bash", "-c", text],
        env={"PATH": "/usr/bin:/bin", "SECRET": _NASTY},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == printed.format(_NASTY)


@pytest.mark.parametrize(
    "before",
    [
        "su -c 'login ",
        "cat << END\n$(",
        'cat << END\n  END\n"END\nEND \n`',
        'bash -c "login ',
        'sudo su x -lc "login ',
        'eval "login ',
        'ssh host "login ',
        'echo "$(login "',
        "echo $(login ",
        "echo `login ",
        "cat << 'END'\n",
    ],
)
def test_what_a_simple_look_does_not_understand_is_refused(before):
    with pytest.raises(UncertainQuotesError):
        variable_at(before, "SECRET")
