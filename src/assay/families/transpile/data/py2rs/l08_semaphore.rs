use std::sync::{Condvar, Mutex};
use std::thread;

#[derive(Default)]
struct Door {
    inside: usize,
    peak: usize,
    steps: i64,
}

pub fn crowd(visitors: &[i64], places: i64) -> Result<(i64, i64), String> {
    if places < 1 {
        return Err(String::from("there is no room"));
    }
    // As many as there is room for come in before anybody leaves.
    let full = visitors.len().min(places as usize);
    let (door, moved) = (Mutex::new(Door::default()), Condvar::new());
    thread::scope(|scope| {
        for &steps in visitors {
            let (door, moved) = (&door, &moved);
            scope.spawn(move || {
                let mut at = door.lock().unwrap();
                at = moved
                    .wait_while(at, |at| at.inside >= places as usize)
                    .unwrap();
                at.inside += 1;
                at.peak = at.peak.max(at.inside);
                moved.notify_all();
                at = moved.wait_while(at, |at| at.peak < full).unwrap();
                at.steps += steps.max(1);
                at.inside -= 1;
                moved.notify_all();
            });
        }
    });
    let door = door.into_inner().unwrap();
    Ok((door.steps, door.peak as i64))
}
