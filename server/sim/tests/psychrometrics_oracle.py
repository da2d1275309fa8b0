"""Makes psychrometrics_oracle.csv with PsychroLib 2.5.0 (MIT), an independent implementation of the ASHRAE formulas.

Run: pip install PsychroLib==2.5.0 && python psychrometrics_oracle.py > psychrometrics_oracle.csv
"""

import random

import psychrolib

psychrolib.SetUnitSystem(psychrolib.SI)
random.seed(20170101)

COLUMNS = "dry_bulb_c,relative_humidity_pct,pressure_pa,wet_bulb_c,dew_point_c,humidity_ratio,enthalpy_j_per_kg,density_kg_per_m3"


def row(dry, humidity, pressure):
    ratio = psychrolib.GetHumRatioFromRelHum(dry, humidity / 100, pressure)
    wet = psychrolib.GetTWetBulbFromHumRatio(dry, ratio, pressure)
    dew = psychrolib.GetTDewPointFromHumRatio(dry, ratio, pressure)
    enthalpy = psychrolib.GetMoistAirEnthalpy(dry, ratio)
    density = psychrolib.GetMoistAirDensity(dry, ratio, pressure)
    return f"{dry:.2f},{humidity:.1f},{pressure},{wet:.5f},{dew:.5f},{ratio:.9e},{enthalpy:.3f},{density:.6f}"


print(COLUMNS)
for dry in range(-40, 56, 5):  # the corners, on a grid
    for humidity in (1, 10, 30, 60, 90, 100):
        for pressure in (60_000, 85_000, 101_325, 105_000):
            print(row(float(dry), float(humidity), pressure))
for _ in range(1600):  # and between
    dry = round(random.uniform(-40, 55), 2)
    print(row(dry, round(random.uniform(1, 100), 1), random.randint(60_000, 105_000)))
