pub fn output() -> String {
    let (rate, paid) = (0.05_f64, 400.0_f64);
    let mut owed = 1000.0_f64;
    let mut said = String::new();
    for year in 1..=2 {
        owed = owed * (1.0 + rate) - paid;
        said += &format!("after year {year}: {owed:9.2}\n");
    }
    let last = owed * (1.0 + rate);
    let interest = 2.0 * paid + last - 1000.0;
    said += &format!("year 3 pays {last:.2}; interest in all: {interest:+.2}; left: 0.0\n");
    said
}
