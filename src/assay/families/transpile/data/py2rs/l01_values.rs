pub fn output() -> String {
    let mut said = String::new();
    said += &format!("{} {} {} {}\n", 42, "True", "False", "None");
    said += &format!("{:?} {:?} {} {}\n", 3.0_f64, 2.5_f64, "1e+16", "1e-05");
    said += &format!("{} {} {}\n", 'é', "日本", '🦀');
    said += &format!("{} {} {} {}\n", 0x1F, 0b101, 0o17, 1_000);
    said
}
