"""Plausible names from many places. Nobody in particular is meant."""

from __future__ import annotations

from typing import Final

GIVEN: Final = (
    "Aaliyah", "Abebe", "Adaeze", "Agnieszka", "Ahmed", "Aiko", "Alejandro", "Amélie", "Ananya", "Anders", "Åsa",
    "Beatriz", "Björn", "Camille", "Carlos", "Chiara", "Chloé", "Damir", "Daniela", "Đorđe", "Elif", "Emeka", "Eszter",
    "Fatima", "Finn", "François", "Freya", "Gábor", "Giulia", "Grace", "Hannah", "Hiroshi", "Ingrid", "İrem", "Jakub",
    "Jan", "João", "José", "Julia", "Kamala", "Kateřina", "Kwame", "Lars", "Leila", "Linh", "Łukasz", "Małgorzata",
    "Marek", "María", "Mateo", "Mehmet", "Mia", "Nadia", "Ngozi", "Nikolai", "Noor", "Oksana", "Olumide", "Øyvind",
    "Paula", "Priya", "Rafael", "Ravi", "Rosa", "Sanjay", "Sara", "Şebnem", "Siobhan", "Sofia", "Søren", "Tariq",
    "Thandiwe", "Tomás", "Ursula", "Valentina", "Viktor", "Wanjiru", "Yara", "Yusuf", "Zoë",
)  # fmt: skip
FAMILY: Final = (
    "Abdullah", "Acheampong", "Andersson", "Arslan", "Bakker", "Banerjee", "Bauer", "Becker", "Bianchi", "Çelik",
    "Chukwu", "Costa", "Čapek", "da Silva", "de la Cruz", "Delgado", "Díaz", "Dubois", "Eriksen", "Fernández",
    "Fischer", "Fontaine", "García", "Grant", "Großmann", "Gupta", "Haddad", "Hansen", "Hernández", "Horváth",
    "Ibrahim", "Ivanova", "Jansen", "Jónsdóttir", "Kamau", "Kowalska", "Kovač", "Laurent", "Lindqvist", "López",
    "MacDonald", "Mbeki", "Moreau", "Müller", "Muñoz", "Nagy", "Nguyễn", "Nowak", "O'Connor", "Okafor", "Omar",
    "Öztürk", "Papadopoulos", "Patel", "Pereira", "Petrov", "Quispe", "Rossi", "Saito", "Sato", "Schäfer", "Schmidt",
    "Sharma", "Šimić", "Smith-Jones", "Suzuki", "Świątek", "Szabó", "Tanaka", "Torres", "Tshabalala", "Ünal",
    "van den Berg", "Vargas", "von Stein", "Wójcik", "Yamamoto", "Yılmaz", "Zhang", "Zulu",
)  # fmt: skip
AWKWARD: Final = (
    ("Dr., Jr.", "Adams, the Third"),
    ('Robert "Bob"', "O'Brien"),
    ("C++", "Stroustrup+Son"),
    ("Back\\slash", "Trailing\\"),
    (" Leading", "Space"),
    ("Trailing", "Space "),
    ("#1", "Hash"),
    ("Semi;colon", "<Angle>"),
    ("Equals", "a=b"),
    ("", "Sukarno"),
    ("山田", "太郎"),
    ("Мария", "Кузнецова"),
    ("محمد", "الفارسي"),
    ("Ελένη", "Παπαδοπούλου"),
    ("Zoe\u0308", "Decomposed"),
    ("👩‍💻", "Emoji"),
    ("Double  Space", "Inside"),
    ("Slash/Slash", "*(Star)*"),
    ("Maria " * 14 + "Maria", "von " * 12 + "Hohenlohe"),
    ("Robert'); DROP TABLE people;--", "Tables"),
)
"""Given and family names that break what is not escaped: in a DN (RFC 4514), a filter (RFC 4515), a header, a URL."""
PLACES: Final = (
    ("Berlin", "de-DE"), ("Zürich", "de-CH"), ("São Paulo", "pt-BR"), ("Kraków", "pl-PL"), ("Nairobi", "en-KE"),
    ("İstanbul", "tr-TR"), ("Montréal", "fr-CA"), ("東京", "ja-JP"), ("Malmö", "sv-SE"), ("Bengaluru", "en-IN"),
)  # fmt: skip
TITLES: Final = (
    "Software Engineer", "Senior Software Engineer", "Engineering Manager", "QA Engineer", "Support Specialist",
    "Accountant", "Counsel", "Product Manager", "User Researcher", "Sales Representative", "Head of R&D, Europe",
)  # fmt: skip
TEAMS: Final = (
    "Engineering", "Sales, Europe", "R&D + Labs", "Finance", 'Project "Blue"', "Support", "München", "People",
    "Security", "On call (nights)",
)  # fmt: skip
