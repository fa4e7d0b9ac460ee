"""Invented people, towns, streets and firms.

Invariant: a name is a pure function of the random source; there are enough of each that two events rarely share one.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple


class Person(NamedTuple):
    """Somebody: named in full at first, by surname after that."""

    full: str
    last: str


_GIVEN = (
    "Ada Agnes Alba Aldo Alma Amos Anton Arlo Astrid August Beatrix Benno Berta Bruno Carla Casper Cecily Clara "
    "Conrad Cora Cyril Dagmar Delia Dora Edda Edgar Edwin Elias Elsa Emil Enid Erna Ezra Felix Flora Franka Frida "
    "Gerda Greta Gustav Hanna Hector Hedda Helga Hilda Horace Hugo Ida Igor Ilsa Imogen Ines Iris Isolde Ivo "
    "Jasper Jonas Josefa Jules Klara Konrad Lars Lena Leo Linus Lotte Lucian Magda Malwina Marta Matilda Maud "
    "Milo Mina Mirko Nadia Nell Nestor Nils Nora Odette Olaf Olga Orson Oskar Otto Paula Pavel Petra Philippa "
    "Quentin Rafael Ramona Regina Rosa Rufus Sabine Selma Sigrid Silas Stella Sven Tamsin Tessa Theo Tilda Tobias "
    "Ulla Ursula Vera Victor Viola Wanda Wilma Winifred Xenia Yvo Zelda Zeno"
).split()
_SURNAME_HEADS = (
    "Abel Adler Alder Amber Ander Balt Barn Berg Bolt Brand Brem Cald Carr Corv Crom Dahl Dorn Drak Eber Eck Elm "
    "Fal Fenn Feld Fisk Garr Gild Gorm Grim Hag Hald Hart Hobb Holm Ister Jarn Kell Kest Klem Kron Lang Lark Lind "
    "Lov Marl Mern Mor Nagel Nev Norr Oak Orr Osk Pell Penn Plum Quill Rand Ravn Rost Rum Sand Selk Skov Stell "
    "Strom Tarn Thal Tol Turn Ulm Vang Vesk Voss Wald Wick Wren Yarr Zand Zell"
).split()
_SURNAME_TAILS = (
    "aby acker aldo anek arov aster atti auer beck berry bright burn bury dale dorff edge elin enko erby erin "
    "esque etti feather finch gate grave hammer heim hurst ickle idge illa ingham inski kamp kettle ley loft low "
    "man mark mond more nock ogg onova oso ova pool quist ridge rook sby scombe sen shaw sley son stad stein ster "
    "strand sworth thorne tooth tree unda vale vik wether whistle wood worth yard"
).split()
_TOWN_HEADS = (
    "Alder Amber Apple Ash Barley Bell Bitter Black Bram Bright Broad Candle Cattle Chalk Clay Clover Cold Copper "
    "Cran Crow Dapple Deep Dun Eel Elder Fallow Fern Fiddle Flint Fox Frost Gander Glass Goose Gorse Gran Hallow "
    "Hare Hay Hazel Heron Hollow Honey Iron Juniper Kettle King Lamp Lark Lather Linden Lower Mallow Maple Marl "
    "Mickle Milk Mill Moss Mud Nettle Nether Oat Otter Owl Pebble Pepper Pike Pine Plover Quarrel Quince Raven "
    "Reed Rook Rose Rush Rye Saffron Salt Sedge Silver Sloe Snipe Sorrel Stark Stone Sun Swan Tallow Teal Thistle "
    "Thorn Timber Upper Velvet Walnut Wheat Whin Willow Winter Wolf Yarrow"
).split()
_TOWN_TAILS = (
    "acre barrow beck bourne bridge brook burgh bury by cliff combe cote croft dale dean den fell field ford "
    "garth gate hal ham haven head holm holt hope hurst lade lea leigh mere minster moor mouth ness over pool "
    "port quay rigg shaw sea side stead stoke stone stow strand thorpe thwaite ton vale wald water well wick "
    "worth"
).split()
_STREET_HEADS = (
    "Abbot Anchor Baker Barrel Basket Beacon Blind Bonnet Bottle Button Cabbage Canal Chimney Cobbler Cooper "
    "Custom Dial Dyer Ferry Fountain Garden Gasworks Glover Granary Harbour Hatter Lantern Laundry Lime Locksmith "
    "Mercer Museum Needle Orchard Parade Pigeon Potter Pump Ropewalk Saddler Sailmaker Spindle Station Tanner "
    "Theatre Thimble Tollhouse Turnpike Vinegar Weaver Windmill"
).split()
_STREET_TAILS = "Street Lane Row Square Alley Road Steps Quay Hill Passage Wharf Yard".split()
_FIRM_TAILS = (
    "Brothers,Holdings,& Daughters,Mutual,Works,Foundry,Freight,Biscuits,Optics,Textiles,Lines,Dairies,Ceramics,Motors,"
    "Instruments,Timber,Pharma,Cables,Breweries,Paper,Chemicals,Turbines,Pianos,Umbrellas,Bicycles,Software,Glass,Cement,"
    "Salt,Rubber,Tea,Clocks,Lamps,Shipping,Seeds,Batteries,Mattresses,Pumps,Boilers,Spectacles,Toys,Confectionery"
).split(",")

_BRIDGE_TAILS = "Bridge Viaduct Crossing Span Arches Footbridge Causeway Drawbridge".split()
_RIVER_TAILS = "il ow en a ent ick ourne ander el isk".split()
_NATION_TAILS = "onia land avia ovia mark estan ia reich ora istan".split()
_FAIR_THINGS = (
    "Turnip Lantern Accordion Kite Cheese Brass Puppet Pickle Stilt Pudding Balloon Kettle Goose Onion Hat Marzipan "
    "Organ Beard Raft Candle Sausage Ghost Barrel Whistle"
).split()
_FAIR_TAILS = "Fair Week Congress Derby Night Regatta Biennale Carnival Feast Parade Games Festival".split()
_ILLNESS_TAILS = "fever cough rash pox flu itch hiccups shakes ague measles sickness palsy".split()
_INSTITUTE_TAILS = (
    "Savings Bank,Pension Fund,Lottery,Land Registry,Archive,Hospital,Seed Society,Racing Club,Dating Agency,Academy,"
    "Dental Clinics,Library,Customs House,Tram Company,Gymnasium,Credit Union"
).split(",")


def _pick(words: list[str], random: Random) -> str:
    return words[int(random.random() * len(words))]


def person(random: Random) -> Person:
    """A person: one of about 800,000."""
    last = surname(random)
    return Person(f"{_pick(_GIVEN, random)} {last}", last)


def surname(random: Random) -> str:
    """One of about 6,000 surnames."""
    return _pick(_SURNAME_HEADS, random) + _pick(_SURNAME_TAILS, random)


def town(random: Random) -> str:
    """One of about 6,000 towns."""
    return _pick(_TOWN_HEADS, random) + _pick(_TOWN_TAILS, random)


def street(random: Random) -> str:
    """One of about 600 streets."""
    return f"{_pick(_STREET_HEADS, random)} {_pick(_STREET_TAILS, random)}"


def firm(random: Random) -> str:
    """A company, such as `Quillfinch Umbrellas`."""
    return f"{surname(random)} {_pick(_FIRM_TAILS, random)}"


def bridge(random: Random) -> str:
    """A bridge, such as `the Quillfinch Viaduct`."""
    return f"the {surname(random)} {_pick(_BRIDGE_TAILS, random)}"


def river(random: Random) -> str:
    """A river, such as `the Tarnil`."""
    return f"the {_pick(_SURNAME_HEADS, random)}{_pick(_RIVER_TAILS, random)}"


def nation(random: Random) -> str:
    """A foreign country, such as `Norronia`."""
    return _pick(_SURNAME_HEADS, random) + _pick(_NATION_TAILS, random)


def fair(random: Random) -> str:
    """A festival, such as `the Otterwick Kite Congress`."""
    return f"the {town(random)} {_pick(_FAIR_THINGS, random)} {_pick(_FAIR_TAILS, random)}"


def illness(random: Random) -> str:
    """An illness, such as `Saltmouth cough`."""
    return f"{town(random)} {_pick(_ILLNESS_TAILS, random)}"


def institute(random: Random) -> str:
    """An institution, such as `the Kellridge Pension Fund`."""
    return f"the {surname(random)} {_pick(_INSTITUTE_TAILS, random)}"


KINDS: dict[str, Callable[[Random], str | Person]] = {
    "person": person,
    "surname": surname,
    "town": town,
    "street": street,
    "firm": firm,
    "bridge": bridge,
    "river": river,
    "nation": nation,
    "fair": fair,
    "illness": illness,
    "institute": institute,
}
"""What a slot of a stylebook may be drawn from: `$person`, `$town`, ..."""
