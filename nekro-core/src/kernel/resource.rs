//! Resources: routes whose answers are read by name, by programs that know no HTTP.

use super::{FoundRoute, Kernel, RouteEntry};
use crate::caller::Caller;

impl Kernel {
    /// Returns the routes that the caller can read as resources: those that say so, of plugins that run and take part in the caller's
    /// conversation, and that the caller's role and the policy allow. Exactly these are found.
    pub fn resources<'a>(&'a self, caller: &'a Caller) -> impl Iterator<Item = &'a RouteEntry> {
        self.registry().routes().iter().filter(|route| self.is_resource_for(route, caller))
    }

    /// Finds a resource by the parts of its path within the plugin, decoded, with what they say of the arguments.
    pub fn find_resource(
        &self,
        plugin: &str,
        path: &[String],
        caller: &Caller,
    ) -> Option<(&RouteEntry, Vec<(&'static str, String)>)> {
        match self.find_route(plugin, "GET", path) {
            FoundRoute::Route(route, given) if self.is_resource_for(route, caller) => {
                Some((route, given.into_iter().map(|(name, value)| (name, value.to_owned())).collect()))
            }
            _ => None,
        }
    }

    fn is_resource_for(&self, route: &RouteEntry, caller: &Caller) -> bool {
        route.decl.resource
            && route.decl.role.is_none_or(|role| caller.role >= role)
            && self.route_restriction(route).is_none_or(|restriction| restriction.admits(caller))
            && !self.live().halted
            && self.running(route.plugin, caller.session.as_ref()).is_some()
            && self.is_present(route.decl.plugin.id, None, caller)
    }
}
