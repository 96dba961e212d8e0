"""What to do next. See :mod:`runreport.advice.give`."""
