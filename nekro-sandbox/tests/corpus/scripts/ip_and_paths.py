import ipaddress
import os.path
from pathlib import PurePosixPath
net = ipaddress.ip_network("192.168.0.0/29")
print(net.num_addresses, [str(h) for h in net.hosts()][:2], ipaddress.ip_address("10.0.0.1").is_private, ipaddress.ip_address("::1").version)
p = PurePosixPath("/data/reports/2024.tar.gz")
print(p.name, p.stem, p.suffixes, p.parent, p / ".." / "x", p.parts[1], os.path.join("a", "b"), os.path.splitext("x.y.z"), os.path.basename("/q/w"))
