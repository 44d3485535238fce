//! Places by their names, as <https://open-meteo.com/en/docs/geocoding-api> answers.

use serde::Deserialize;

/// The answer to a name.
#[derive(Debug, Deserialize)]
pub(crate) struct Found {
    /// The places, largest first; absent if there are none.
    #[serde(default)]
    results: Vec<Place>,
}

/// A place.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Place {
    name: String,
    /// In degrees, north of the equator.
    pub(crate) latitude: f64,
    /// In degrees, east of Greenwich.
    pub(crate) longitude: f64,
    #[serde(default)]
    country: Option<String>,
    #[serde(default)]
    country_code: Option<String>,
    /// The largest part of the country that it is in.
    #[serde(default)]
    admin1: Option<String>,
}

impl Found {
    /// Returns the largest place, or the largest in a country, which is told by its name or its code.
    pub(crate) fn best(self, country: Option<&str>) -> Option<Place> {
        let wanted = country.map(|country| country.trim().to_lowercase()).filter(|country| !country.is_empty());
        self.results.into_iter().find(|place| wanted.as_deref().is_none_or(|wanted| place.is_in(wanted)))
    }
}

impl Place {
    fn is_in(&self, country: &str) -> bool {
        [&self.country, &self.country_code].into_iter().flatten().any(|known| known.to_lowercase() == country)
    }

    /// Returns its name, so that it is clear which of several it is.
    pub(crate) fn label(&self) -> String {
        let region = self.admin1.as_ref().filter(|region| **region != self.name);
        let parts = [Some(&self.name), region, self.country.as_ref()];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}
