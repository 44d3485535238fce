//! What the sky looks like: the codes of the World Meteorological Organization, table 4677, as Open-Meteo uses them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the sky looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sky {
    /// No clouds.
    Clear,
    /// Some clouds.
    PartlyCloudy,
    /// Only clouds.
    Overcast,
    /// Fog.
    Fog,
    /// Drizzle.
    Drizzle,
    /// Drizzle or rain that freezes where it falls.
    FreezingRain,
    /// Rain.
    Rain,
    /// Snow.
    Snow,
    /// Rain that comes and goes.
    RainShowers,
    /// Snow that comes and goes.
    SnowShowers,
    /// Thunder and lightning.
    Thunderstorm,
    /// Thunder, lightning and hail.
    ThunderstormWithHail,
    /// A code that means nothing here.
    Unknown,
}

impl From<u8> for Sky {
    fn from(code: u8) -> Self {
        match code {
            0 => Self::Clear,
            1 | 2 => Self::PartlyCloudy,
            3 => Self::Overcast,
            45 | 48 => Self::Fog,
            51 | 53 | 55 => Self::Drizzle,
            56 | 57 | 66 | 67 => Self::FreezingRain,
            61 | 63 | 65 => Self::Rain,
            71 | 73 | 75 | 77 => Self::Snow,
            80..=82 => Self::RainShowers,
            85 | 86 => Self::SnowShowers,
            95 => Self::Thunderstorm,
            96 | 99 => Self::ThunderstormWithHail,
            _ => Self::Unknown,
        }
    }
}
