use std::thread;

fn divisors(number: i64) -> i64 {
    (1..=number).filter(|part| number % part == 0).count() as i64
}

pub fn most_divisors(numbers: &[i64], workers: i64) -> Result<(i64, Vec<i64>), String> {
    if workers < 1 {
        return Err("max_workers must be greater than 0".to_string());
    }
    let size = numbers.len().div_ceil(workers as usize).max(1);
    let counts: Vec<i64> = thread::scope(|scope| {
        let running: Vec<_> = numbers
            .chunks(size)
            .map(|part| scope.spawn(|| part.iter().map(|&n| divisors(n)).collect::<Vec<_>>()))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let most = counts.iter().max();
    let at = counts.iter().position(|count| Some(count) == most);
    Ok((at.map_or(0, |at| numbers[at]), counts))
}
