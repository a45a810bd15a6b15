pub fn output() -> String {
    let celsius = 36.6_f64;
    let fahrenheit = celsius * 9.0 / 5.0 + 32.0;
    let kelvin = celsius + 273.15;
    let fever = celsius >= 38.0;
    let mut said = format!("{celsius:.1} C = {fahrenheit:.2} F = {kelvin:.2} K\n");
    said += &format!("[{celsius:8.3}] [{fahrenheit:<8.1}] [{kelvin:^8.0}]\n");
    let verdict = if fever { "fever" } else { "no fever" };
    let opposite = if fever { "False" } else { "True" };
    said += &format!("{verdict} {opposite}\n");
    said
}
