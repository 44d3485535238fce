//! What a `#[schedule]` adds: a task, and when it is run.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::{Schedule, When};
use crate::{
    shared::{Function, location, option, optional_duration, registered},
    task::expand as task,
};

pub(crate) fn expand(function: &Function, schedule: &Schedule) -> TokenStream {
    let Schedule { task, workdays, misfire, overlap, pause_after, .. } = schedule;
    let ident = &function.signature.ident;
    let milliseconds = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let when = match &schedule.when {
        When::Cron(cron, zone) => quote!(Cron(#cron, #zone)),
        When::Every(every) => {
            let every = milliseconds(*every);
            quote!(Every(::core::time::Duration::from_millis(#every)))
        }
        When::AfterEach(pause) => {
            let pause = milliseconds(*pause);
            quote!(AfterEach(::core::time::Duration::from_millis(#pause)))
        }
        When::At(at) => quote!(At(#at)),
    };
    let (grace, jitter) = (optional_duration(schedule.grace), optional_duration(schedule.jitter));
    let pause_after = option(*pause_after);
    let location = location(ident);
    let task = task::expand(function, task);
    let schedule = registered(
        ident,
        quote! {
            static __NEKRO_DECL: __nekro::ScheduleDecl = __nekro::ScheduleDecl {
                task: <#ident as __nekro::TaskArguments>::DECL,
                when: __nekro::WhenDecl::#when,
                workdays: __nekro::Workdays::#workdays,
                misfire: __nekro::Misfire::#misfire,
                overlap: __nekro::Overlap::#overlap,
                grace: #grace,
                jitter: #jitter,
                pause_after: #pause_after,
                location: #location,
            };
            const _: &__nekro::PluginDecl = <__NekroPlugin as __nekro::Plugin>::DECL;
            __nekro::inventory::submit! { &__NEKRO_DECL }
        },
    );
    quote!(#task #schedule)
}

/// What is added after a mistake.
pub(crate) fn rescue(function: &Function, schedule: &Schedule) -> TokenStream {
    task::rescue(function, &schedule.task)
}
