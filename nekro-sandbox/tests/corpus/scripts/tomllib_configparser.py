import configparser
import tomllib
print(tomllib.loads('a = 1\n[b]\nc = ["x", 2.5]\nd = 2024-01-02'))
cp = configparser.ConfigParser()
cp.read_string("[s]\nk = v\nn = 3\n")
print(cp["s"]["k"], cp.getint("s", "n"), cp.sections())
