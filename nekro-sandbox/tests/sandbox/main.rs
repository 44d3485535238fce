//! The sandbox as a whole, with workers that are this very program.
//!
//! A small harness of its own, for the first act of a worker's `main` must be to become one.

mod corpus;
mod forged;
mod hostile;
mod limits;
mod pool;
mod runs;
mod walls;
mod world;

use std::{panic, process::ExitCode, time::Instant};

/// A test and its name.
type Test = (&'static str, fn());

/// Lists tests by their functions.
macro_rules! tests {
    ($($module:ident: $($name:ident),+ $(,)?);+ $(;)?) => {
        &[$($((concat!(stringify!($module), "::", stringify!($name)), $module::$name as fn()),)+)+]
    };
}

const TESTS: &[Test] = tests! {
    runs:
        the_value_of_the_last_expression_comes_back,
        functions_are_modules_and_answers_have_attributes,
        every_call_can_be_awaited_and_gathered,
        a_call_that_is_quick_does_not_wait_for_a_slow_one,
        errors_are_exceptions_that_can_be_caught_by_class,
        what_must_be_seen_ends_the_script_and_nothing_catches_it,
        a_note_is_kept_beside_the_value,
        a_script_is_checked_before_it_runs,
        nothing_of_a_script_is_there_for_the_next,
        a_session_may_keep_its_variables,
        what_is_long_is_cut_in_the_middle,
        what_is_printed_is_seen_while_the_script_runs;
    limits:
        every_limit_ends_the_script_and_is_named,
        a_limit_on_one_call_is_an_error_that_names_it,
        memory_is_limited_and_its_error_names_the_limit,
        what_is_kept_is_limited,
        only_so_many_calls_are_under_way_at_the_same_time,
        a_value_that_is_too_long_is_told_by_its_text_alone,
        what_was_printed_before_the_end_is_not_lost;
    corpus:
        scripts_print_what_cpython_prints;
    walls:
        nothing_is_possible_behind_the_walls,
        two_layers_at_least_stop_each_attempt_but_those_that_are_known,
        without_walls_most_of_it_is_possible;
    forged:
        whatever_a_worker_says_its_host_lives_and_says_what_was_wrong,
        what_a_worker_says_in_disorder_ends_its_script_at_most;
    pool:
        a_worker_that_dies_while_it_waits_is_replaced_unnoticed,
        what_a_worker_rehearses_while_it_waits_is_seen_by_no_script,
        a_worker_that_is_killed_in_a_call_ends_its_script_only,
        a_run_that_is_dropped_takes_its_worker_with_it,
        a_worker_is_replaced_when_it_is_worn_or_old,
        a_full_queue_refuses_and_names_itself,
        a_hundred_scripts_at_once_are_all_right_and_leave_nothing,
        workers_end_with_their_host,
        a_machine_that_confines_too_little_is_refused_and_the_way_out_is_said;
    hostile:
        every_hostile_script_is_contained_and_the_next_one_is_right,
        hostile_scripts_are_contained_with_any_layer_switched_off;
};

fn main() -> ExitCode {
    walls::attempt_if_asked();
    forged::play_if_asked();
    nekro_sandbox::worker_main_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        TESTS.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    if arguments.first().is_some_and(|argument| argument == "be-a-host") {
        pool::be_a_host();
    }
    let exact = arguments.iter().any(|argument| argument == "--exact");
    let wanted: Vec<&str> = arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with('-')).collect();
    let chosen = TESTS.iter().filter(|(name, _)| {
        wanted.is_empty() || wanted.iter().any(|part| if exact { name == part } else { name.contains(part) })
    });
    let (mut passed, mut failed) = (0, Vec::new());
    for (name, test) in chosen {
        let start = Instant::now();
        if panic::catch_unwind(test).is_ok() {
            passed += 1;
            println!("test {name} ... ok ({:.1?})", start.elapsed());
        } else {
            failed.push(name);
            println!("test {name} ... FAILED");
        }
    }
    println!("\ntest result: {passed} passed; {} failed", failed.len());
    failed.iter().for_each(|name| println!("    {name}"));
    ExitCode::from(u8::from(!failed.is_empty()))
}
