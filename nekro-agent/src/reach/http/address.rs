//! Addresses: which are public, and which networks the operator allows beside them.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use schemars::JsonSchema;
use serde::Deserialize;

/// A network in CIDR notation, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Network {
    address: IpAddr,
    // At most 32 or 128, as the address has bits.
    bits: u8,
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                same_start(network.to_bits().into(), address.to_bits().into(), 32, self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => same_start(network.to_bits(), address.to_bits(), 128, self.bits),
            _ => false,
        }
    }
}

fn same_start(one: u128, other: u128, length: u8, bits: u8) -> bool {
    (one ^ other).checked_shr(u32::from(length - bits)).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a network, such as `192.168.0.0/16`, `fd00::/8` or `127.0.0.1`");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let length = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(length), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > length {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// Tells whether an address may be reached.
pub(super) fn is_allowed(address: IpAddr, networks: &[Network]) -> bool {
    // What stands for an address of version 4 is judged as that.
    let address = match address {
        IpAddr::V6(six) => embedded(six).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    is_public(address) || networks.iter().any(|network| network.contains(address))
}

/// Returns the address of version 4 that one of version 6 stands for: mapped, by NAT64, by 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let four = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => four(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => four(high, low),
        [0x2002, high, low, ..] => four(high, low),
        _ => None,
    }
}

/// Tells whether an address is one of the public Internet, by the registries of IANA for special purposes.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [a, b, c, _] = four.octets();
            !matches!(
                (a, b, c),
                (0 | 10 | 127, ..)
                    | (100, 64..=127, _)
                    | (169, 254, _)
                    | (172, 16..=31, _)
                    | (192, 0, 0 | 2)
                    | (192, 88, 99)
                    | (192, 168, _)
                    | (198, 18..=19, _)
                    | (198, 51, 100)
                    | (203, 0, 113)
                    | (224.., ..)
            )
        }
        IpAddr::V6(six) => {
            let [a, b, ..] = six.segments();
            // Global unicast, without what is set aside in it: protocols, documentation, and tunnels.
            (0x2000..=0x3fff).contains(&a)
                && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
                && a != 0x2002
                && !(a == 0x3fff && b < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_not_public_is_refused() {
        for refused in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2001:1ff::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "3fff:fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            let address = refused.parse().expect("an address");
            assert!(!is_allowed(address, &[]), "{refused}");
        }
    }

    #[test]
    fn a_public_address_is_reached() {
        for reached in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::",
            "3fff:1000::1",
        ] {
            let address = reached.parse().expect("an address");
            assert!(is_allowed(address, &[]), "{reached}");
        }
    }

    #[test]
    fn a_network_that_the_operator_allows_is_reached() {
        let allowed = |network: &str, address: &str| {
            is_allowed(address.parse().expect("an address"), &[network.parse().expect("a network")])
        };
        assert!(allowed("127.0.0.0/8", "127.9.9.9"));
        assert!(allowed("192.168.1.10", "192.168.1.10"));
        assert!(!allowed("192.168.1.10", "192.168.1.11"));
        assert!(allowed("10.0.0.0/31", "10.0.0.1") && !allowed("10.0.0.0/31", "10.0.0.2"));
        assert!(allowed("fd00::/8", "fd12::1") && !allowed("fd00::/8", "fe80::1"));
        assert!(allowed("127.0.0.1", "::ffff:127.0.0.1"), "it is the same address");
        assert!(allowed("0.0.0.0/0", "10.1.2.3") && !allowed("0.0.0.0/0", "fe80::1"));
        assert!(!allowed("::/0", "127.0.0.1"));
    }

    #[test]
    fn a_network_is_read_and_printed() {
        for (text, read) in
            [("10.0.0.0/8", Some("10.0.0.0/8")), ("::1", Some("::1/128")), ("10.0.0.0/33", None), ("10.0.0/8", None), ("a", None)]
        {
            assert_eq!(text.parse::<Network>().ok().map(|network| network.to_string()).as_deref(), read, "{text}");
        }
    }
}
