//! Whether what a route answers fits how it is asked for, and whether people can find it where it says.

use super::{Problem, RouteEntry};

/// Finds the routes whose parts do not fit together.
pub(super) fn unfit(routes: &[RouteEntry], problems: &mut Vec<Problem>) {
    for route in routes {
        let decl = route.decl;
        let shape = (decl.output)().shape;
        let mut wrong = |problem, hint| {
            problems.push(Problem::BadRoute { plugin: decl.plugin.id, problem, hint, location: decl.location });
        };
        if route.is_router() && !shape.is_router {
            wrong(
                "has the method `ANY` and returns no router",
                "return a router, such as `nekro_axum::Routes`, or name the method",
            );
        }
        if shape.is_router && !route.is_router() {
            wrong("returns a router, which answers every method", "write `#[route(ANY, …)]`");
        }
        let is_found = decl.place.nav.is_some() || decl.place.card.is_some();
        if is_found && decl.arguments.iter().any(|argument| !argument.is_optional()) {
            wrong(
                "is in the navigation or on the dashboard, and cannot be asked for without arguments",
                "give every argument a default, or leave out `nav` and `card`",
            );
        }
        if decl.place.nav.is_some() && shape.media_type.is_some_and(|media_type| !media_type.starts_with("text/html")) {
            wrong("is in the navigation, and is no page", "return `Html`, or leave out `nav`");
        }
    }
}
