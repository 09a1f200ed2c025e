"""`tandem init` and `tandem admit`: from an empty machine to a node that its peers know."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tandem.contract import BANK, COORDINATOR, ROLES, TELCO, Role
from tandem.errors import InputError
from tandem.node import disk, folder
from tandem.node.certificates import DAYS, spki_pin
from tandem.node.chance import System
from tandem.node.config import checked_address
from tandem.node.drafts import PORTS, Places, Source, config, config_name
from tandem.node.inputs.read import read_header
from tandem.node.inputs.source import TableSource

IDENTIFIERS = ("phone", "mobile", "msisdn", "phone_number", "customer_id", "id")
"""Names of a column that is probably the identifier, the likeliest first."""

_COORDINATOR = f"coordinator.example:{PORTS[COORDINATOR]}"
WHO_DIALS = """\
who dials    whom          port
bank         telco         {telco}
bank         coordinator   {coordinator}
telco        coordinator   {coordinator}
"""


def init(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="bank, telco or coordinator.")],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    name: Annotated[str, typer.Option(help="Name in contracts; the role if not given.")] = "",
    host: Annotated[str, typer.Option(help="Telco, coordinator: the name or address by which others reach this machine.")] = "",
    port: Annotated[int, typer.Option(help="Telco, coordinator: where to listen; 7443 and 7444 if not given.", min=0, max=65535)] = 0,
    telco: Annotated[str, typer.Option(help="Bank: host:port of the telco.")] = f"telco.example:{PORTS[TELCO]}",
    coordinator: Annotated[str, typer.Option(help="Bank, telco: host:port of the coordinator.")] = _COORDINATOR,
    table: Annotated[Path | None, typer.Option(help="Bank, telco: the CSV; its header is read, no row.")] = None,
    id_column: Annotated[str, typer.Option("--id", help="Column of the identifier; guessed from the header if not given.")] = "",
    label: Annotated[str, typer.Option(help="Bank: column of the label.")] = "label",
    days: Annotated[int, typer.Option(help="Validity of the certificate.", min=1, max=3650)] = DAYS,
) -> None:
    """Make a party's folder: keys that nobody else sees, a certificate, configuration, a note for the firewall, and what to hand out.

    Example: tandem init telco my-node --name "Example Telco" --host telco.example --table subscribers.csv
    """
    party = _role(role)
    if party == BANK and (host or port):
        raise InputError("--host and --port are for telco and coordinator: the bank listens to nobody")
    if party == COORDINATOR and table:
        raise InputError("--table is for bank and telco: the coordinator has none")
    source = _source(table, id_column, label if party == BANK else "")
    port = port or PORTS.get(party, 0)
    own = f"{host or f'{party}.example'}:{port}"
    places = Places(
        checked_address(own if party == TELCO else telco), checked_address(own if party == COORDINATOR else coordinator),
        f"0.0.0.0:{port}" if port else "",
    )
    made = folder.make(directory, party, name or party, days, System())
    for file, text in {
        config_name(party): config(party, source, places),
        "FIREWALL.txt": _firewall(party, places),
        "README.txt": _readme(party, source),
    }.items():
        disk.write(directory / file, text.encode(), replace=False)
    typer.echo(f"{directory}: made; pin {made.card.tls_pin[0]}")
    typer.echo(f"send {directory / folder.HAND_OUT} to the two others; {directory / 'README.txt'} says what comes next")


def admit(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Your own folder, made by `tandem init`.")],
    handed: Annotated[Path, typer.Argument(metavar="HAND-OUT", help="The folder that another party handed out.")],
    replace: Annotated[bool, typer.Option("--replace", help="It replaces what that party handed out before.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Take in another party's card, certificate and authority. Compare the pin that this prints with them, by telephone.

    Example: tandem admit my-node from-bank/hand-out
    """
    found = folder.HandOut.load(handed)
    folder.admit(directory, found, replace=replace)
    typer.echo(f"{directory}: admitted {found.card.name} as {found.card.role}; its pin: {spki_pin(found.certificate)}")


def _role(text: str) -> Role:
    for role in ROLES:
        if text == role:
            return role
    raise InputError(f"{text!r} is no role: say bank, telco or coordinator")


def _source(table: Path | None, id_column: str, label: str) -> Source:
    if table is None:
        return Source(None, (), id_column or IDENTIFIERS[0], label)
    columns = read_header(TableSource(source=str(table), id=id_column or IDENTIFIERS[0]))
    if id_column and id_column not in columns:
        raise InputError(f"{table}: there is no column {id_column!r}; the columns are {', '.join(columns)}")
    guesses = [name for likely in IDENTIFIERS for name in columns if name.lower() == likely]
    return Source(table.resolve(), columns, id_column or (guesses or columns)[0], label)


def _firewall(role: Role, places: Places) -> str:
    ports = {TELCO: places.telco.rpartition(":")[2], COORDINATOR: places.coordinator.rpartition(":")[2]}
    dials = {BANK: (places.telco, places.coordinator), TELCO: (places.coordinator,), COORDINATOR: ()}[role]
    callers = {BANK: "", TELCO: f"{ports[TELCO]}/tcp from the bank", COORDINATOR: f"{ports[COORDINATOR]}/tcp from bank and telco"}[role]
    return (
        f"Firewall of the {role}\n\n"
        f"incoming   {callers or 'nothing'}\n"
        f"outgoing   {', '.join(f'{place}/tcp' for place in dials) or 'nothing'}\n\n"
        "All three:\n\n" + WHO_DIALS.format(**ports) + "\n"
        "One port carries all streams: HTTP/2 over TLS 1.3, certificates on both sides. A relay or proxy must pass TCP through: TLS ends\n"
        "at the parties, and a relay that opens it is refused. Idle connections are kept alive every 30 seconds. Clocks must be right to\n"
        "the minute. An address above that ends in .example is a placeholder: put the real one here and into the configuration.\n"
    )


def _readme(role: Role, source: Source) -> str:
    columns = str(source.rest) if source.columns else "COLUMNS"
    others = " and ".join(other for other in ROLES if other != role)
    cards = " ".join(f"--{other} {'' if other == role else 'peers/'}{other}.toml" for other in ROLES)
    sign = "tandem contract sign --keys keys contract.toml"
    steps = {
        BANK: [
            "tandem contract new contract.toml \\",
            f"  {cards} \\",
            f"  --identifiers ROWS --table ROWS --bank-columns {columns} --description TEXT",
            "      then contract.toml goes to the telco, which completes and signs it, and comes back:",
            sign,
            "      then to the coordinator, and back; it stays in this folder",
            "tandem doctor study.toml",
            "tandem bank train study.toml",
        ],
        TELCO: [
            f"{sign} --variables {columns}",
            "      then it goes to bank and coordinator; when all three have signed, it goes into contracts/",
            "tandem doctor node.toml",
            "tandem telco serve --config node.toml",
        ],
        COORDINATOR: [
            sign,
            "      when all three have signed, it goes into contracts/",
            "tandem doctor node.toml",
            "tandem coordinator serve --config node.toml",
        ],
    }[role]
    return (
        f"Folder of the {role}\n\n"
        "keys/ authority/   secret: for this user alone, and in your backup. They never leave this machine\n"
        f"hand-out/          public: send all three files to {others}\n"
        "node.csr           for your own company's authority, if it must sign. Its certificate replaces tls.pem in keys/ and hand-out/,\n"
        "                   its authority's ca.pem in both, before you send or admit anything. Key and pin stay the same\n"
        f"{config_name(role):<19}configuration; look for FILL IN\n"
        "FIREWALL.txt       for whoever runs your firewall\n\n"
        "Next, in this folder:\n\n"
        + "".join(f"tandem admit . FOLDER-FROM-THE-{other.upper()}\n" for other in ROLES if other != role)
        + "      compare the pins that it prints by telephone\n" + "\n".join(steps) + "\n"
    )
