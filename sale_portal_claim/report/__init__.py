from . import portal_adoption_report
